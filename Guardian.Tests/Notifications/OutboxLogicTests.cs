using CsCheck;
using Guardian.Actors.Hosting;
using Guardian.Actors.Notifications;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

public sealed class OutboxLogicTests
{
    private readonly OutboxLogic _logic = new(new NotificationOptions { MaxPending = 2, DeadAfter = TimeSpan.FromHours(1) }, new ChannelOptions());
    private readonly OutboxState _state = new("security");

    private OutboxAccepted Take(string key)
    {
        var (answer, e) = _logic.Take(_state, Item(key), At);
        if (e is not null) _state.Apply(e);
        return answer;
    }

    [Fact]
    public void A_key_is_taken_once()
    {
        Take("a").Accepted.Should().BeTrue();
        _logic.Take(_state, Item("a"), At).Event.Should().BeNull();
        Take("a").Accepted.Should().BeTrue("it is in the journal");
        _state.Pending.Should().Be(1);
    }

    [Fact]
    public void A_full_outbox_refuses_and_says_why_yet_knows_its_own()
    {
        Take("a");
        Take("b");
        Take("c").Should().Match<OutboxAccepted>(x => !x.Accepted && x.Reason!.Contains("MaxPending") && x.Reason.Contains("security"));
        Take("b").Accepted.Should().BeTrue();
    }

    [Fact]
    public void Asking_tells_what_was_accepted()
    {
        Take("a");
        OutboxLogic.Ask(_state, new AskDelivery { Channel = "security", Key = "a" }).Accepted.Should().BeTrue();
        OutboxLogic.Ask(_state, new AskDelivery { Channel = "security", Key = "b" }).Accepted.Should().BeFalse();
    }

    [Fact]
    public void An_item_is_dead_when_refused_or_too_old_and_only_after_an_attempt()
    {
        var head = new DeliveryAccepted { At = At, Item = Item("a") };
        ChannelResult retry = new ChannelResult.Retry("busy");

        _logic.AfterAttempt(head, 1, new ChannelResult.Refused("no such hook"), At, 0).Event.Should().BeOfType<DeliveryDead>().Which.Reason.Should().Be("no such hook");
        _logic.AfterAttempt(head, 3, retry, At.AddMinutes(59), 0).Event.Should().BeNull();
        _logic.AfterAttempt(head, 9, retry, At.AddHours(1), 0).Event.Should().BeOfType<DeliveryDead>().Which.Should()
            .Match<DeliveryDead>(x => x.Reason.Contains("busy") && x.Reason.Contains("DeadAfter") && x.Attempts == 9);
        _logic.AfterAttempt(head, 9, ChannelResult.Ok, At.AddHours(9), 0).Event.Should().BeOfType<DeliveryDone>("it was delivered, however late");
    }

    [Fact]
    public void Waits_grow_to_the_cap_and_are_spread() => Gen.Select(Gen.Int[1, 1000], Gen.Double[0, 1]).Sample((attempts, random) =>
    {
        var full = TimeSpan.FromMilliseconds(Math.Min(30_000, 200 * Math.Pow(2, attempts - 1)));
        OutboxLogic.Wait(attempts, null, random).Should().BeGreaterThanOrEqualTo(full / 2).And.BeLessThanOrEqualTo(full);
    });

    [Fact]
    public void A_receiver_may_ask_for_patience_within_bounds()
    {
        OutboxLogic.Wait(1, TimeSpan.FromSeconds(90), 0).Should().Be(TimeSpan.FromSeconds(90));
        OutboxLogic.Wait(1, TimeSpan.FromDays(1), 0).Should().Be(OutboxLogic.LongestRetryAfter);
        OutboxLogic.Wait(20, TimeSpan.FromSeconds(1), 1).Should().Be(OutboxLogic.LongestRetry);
    }
}
