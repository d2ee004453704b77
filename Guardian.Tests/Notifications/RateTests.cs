using CsCheck;
using Guardian.Actors.Notifications;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

/// <summary>A channel's rate, its digest, what silences keep back, and the notices that something is over. Pure.</summary>
public sealed class RateTests
{
    private static readonly ChannelOptions Rate = new() { MaxItems = 3, Per = TimeSpan.FromMinutes(10), SendResolved = true };
    private static readonly NotificationOptions Options = new() { DigestAfter = TimeSpan.FromMinutes(1) };

    private readonly OutboxState _state = new("security");
    private DateTimeOffset _now = At;
    private Func<Deliver, string?> _muted = _ => null;

    private static OutboxLogic Logic(bool keepsState = false) => new(Options, Rate, keepsState);

    private void Take(Deliver item, OutboxLogic? logic = null)
    {
        if ((logic ?? Logic()).Take(_state, item, _now).Event is { } e) _state.Apply(e);
    }

    /// <summary>Carries out what the logic says until it waits; what was sent.</summary>
    private List<Deliver> Run(OutboxLogic? logic = null)
    {
        var sent = new List<Deliver>();
        while (true)
        {
            var step = (logic ?? Logic()).Next(_state, _muted, _now);
            if (step.Event is { } e)
            {
                _state.Apply(e);
            }
            else if (step.Send)
            {
                var head = _state.Head!.Item;
                sent.Add(head);
                _state.Apply(new DeliveryDone { At = _now, Key = head.Key, Attempts = 1 });
            }
            else
            {
                return sent;
            }
        }
    }

    [Fact]
    public void Beyond_the_rate_a_digest_tells_the_rest()
    {
        for (var i = 0; i < 8; i++) Take(Item("k" + i) with { Severity = i == 6 ? "critical" : "medium", Title = "title " + i });
        Run().Select(x => x.Key).Should().Equal("k0", "k1", "k2");
        (_state.Digested, _state.Collected!.Count).Should().Be((5, 5));
        Logic().Next(_state, _muted, _now).Wait.Should().Be(TimeSpan.FromMinutes(1));

        _now += TimeSpan.FromMinutes(1);
        var digest = Run().Should().ContainSingle().Subject;
        digest.Should().Match<Deliver>(x => x.Kind == ItemKind.Digest && x.Severity == "critical" && x.Title.StartsWith("5 further notifications") && x.Text.Contains("title 3") && x.Text.Contains("title 7"));
        _state.Collected.Should().BeNull();

        Take(Item("late"));
        Run().Should().BeEmpty();
        Logic().Next(_state, _muted, _now).Wait.Should().Be(TimeSpan.FromMinutes(10), "one digest within the period");
        _now += TimeSpan.FromMinutes(9);
        Take(Item("fresh"));
        Run().Select(x => x.Key).Should().Equal("fresh");
    }

    [Fact]
    public void Never_more_than_the_rate_and_one_digest_within_any_period() => Gen.Int[0, 200].List[1, 80].Sample(gaps =>
    {
        var (state, now) = (new OutboxState("security"), At);
        var sent = new List<(DateTimeOffset At, string Kind)>();
        for (var i = 0; i < gaps.Count; i++)
        {
            now += TimeSpan.FromSeconds(gaps[i]);
            state.Apply(Logic().Take(state, Item("k" + i), now).Event!);
            while (Logic().Next(state, _ => null, now) is var step && (step.Event is not null || step.Send))
            {
                if (step.Event is { } e)
                {
                    state.Apply(e);
                    continue;
                }

                sent.Add((now, state.Head!.Item.Kind));
                state.Apply(new DeliveryDone { At = now, Key = state.Head!.Item.Key, Attempts = 1 });
            }
        }

        foreach (var (at, _) in sent)
        {
            var period = sent.Where(x => x.At > at - Rate.Per.Value && x.At <= at).ToList();
            period.Count(x => x.Kind == ItemKind.Notification).Should().BeLessThanOrEqualTo(Rate.MaxItems);
            period.Count(x => x.Kind == ItemKind.Digest).Should().BeLessThanOrEqualTo(1);
        }

        // Nothing is lost: sent one by one, told by a digest, or waiting for the next.
        (sent.Count(x => x.Kind == ItemKind.Notification) + state.Digested).Should().Be(gaps.Count);
    }, iter: 300);

    [Fact]
    public void What_a_silence_keeps_back_is_recorded_and_not_sent()
    {
        _muted = x => x.IncidentKey == "acl/principal/rogue" ? "silence s-1 by ann: deploy" : null;
        Take(Item("a"));
        Take(Item("t", "tasks", "fix/rogue"));
        Run().Select(x => x.Key).Should().Equal("t");
        (_state.Muted, _state.Knows("a"), _state.Pending).Should().Be((1L, true, 0));
        Logic().Take(_state, Over()).Event.Should().BeNull("who was not told of it needs not hear of its end");
    }

    [Fact]
    public void Who_was_told_hears_of_the_end_once()
    {
        Take(Item("a"));
        Take(Item("b") with { Severity = "critical" });
        Run();
        var notice = Logic().Take(_state, Over()).Event!;
        notice.Item.Should().Match<Deliver>(x => x.Key == "a-1/resolved" && x.Kind == ItemKind.Resolved && x.Severity == "critical" && x.Resolves!.Count == 2);
        _state.Apply(notice);
        Logic().Take(_state, Over()).Event.Should().BeNull();
        Run().Should().ContainSingle(x => x.Key == "a-1/resolved");
        Logic().Take(_state, Over()).Event.Should().BeNull();
        Logic().Take(_state, Over() with { IncidentId = "never-told" }).Should().Match<(OutboxAccepted Answer, DeliveryAccepted? Event)>(x => x.Answer.Accepted && x.Event == null);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)] // an alert that nobody ends would stand for days
    public void A_channel_that_does_not_ask_for_it_does_not_hear_of_the_end(bool keepsState, bool hears)
    {
        Take(Item("a"));
        Run();
        var (answer, notice) = new OutboxLogic(Options, new ChannelOptions(), keepsState).Take(_state, Over());
        (answer.Accepted, notice is not null).Should().Be((true, hears));
    }

    [Fact]
    public void An_undone_notice_is_over_and_the_others_stay()
    {
        Take(Item("run/a/x"));
        Take(Item("run/b/x"));
        Run();
        Deliver undo = Item("run/a/x/undo") with { Kind = ItemKind.Resolved, Resolves = [new ToldNotice { Key = "run/a/x", Severity = "high" }] };
        Take(undo);
        Run().Should().ContainSingle().Which.Resolves.Should().ContainSingle().Which.At.Should().Be(At, "the channel knows when it was told");
        Take(undo with { Key = "again" });
        Run().Should().BeEmpty("it is over already");
        Logic().Take(_state, Over()).Event!.Item.Resolves!.Select(x => x.Key).Should().Equal("run/b/x");
    }

    [Fact]
    public void A_receiver_that_keeps_state_hears_of_every_end()
    {
        for (var i = 0; i < 4; i++) Take(Item("k" + i) with { IncidentId = "i-" + i });
        var alertmanager = Logic(keepsState: true);
        Run(alertmanager).Should().HaveCount(3);
        for (var i = 0; i < 3; i++) _state.Apply(alertmanager.Take(_state, Over() with { IncidentId = "i-" + i }).Event!);
        Run(alertmanager).Select(x => x.Key).Should().Equal("i-0/resolved", "i-1/resolved", "i-2/resolved");
    }

    private TellResolved Over() => new() { Channel = "security", IncidentId = "a-1", IncidentKey = "acl/principal/rogue", State = "resolved", Reason = "verified", At = _now };
}
