using CsCheck;
using Guardian.Actors.Silencing;
using Guardian.Tests.Mitigations;

namespace Guardian.Tests.Silencing;

public sealed class SilenceBookTests
{
    private readonly JumpingTime _time = new();
    private readonly SilenceBook _book;

    public SilenceBookTests() => _book = new SilenceBook(_time);

    private AddSilence Add(string? key = "acl/*", int minutes = 30, string reason = "deploy", SilenceAction action = SilenceAction.Mute) =>
        new(new SilenceMatch { Key = key }, _time.GetUtcNow().AddMinutes(minutes), reason, action, "ann");

    [Theory]
    [InlineData("acl/*", "acl/principal/rogue", true)]
    [InlineData("acl/*/rogue", "acl/principal/rogue", true)]
    [InlineData("*rogue", "acl/principal/rogue", true)]
    [InlineData("acl/principal/rogue", "acl/principal/rogue", true)]
    [InlineData("acl/principal/rogue", "acl/principal/rogue2", false)]
    [InlineData("*a*b*c", "xaxbxc", true)]
    [InlineData("*a*b*c", "xaxcxb", false)]
    [InlineData("*", "", true)]
    [InlineData("a", "", false)]
    [InlineData("a.c", "abc", false)]
    public void A_star_stands_for_any_text_and_all_else_for_itself(string pattern, string text, bool fits) => SilenceMatcher.Glob(pattern, text).Should().Be(fits);

    [Fact]
    public void A_glob_is_the_regular_expression_it_looks_like() => Gen.Select(Gen.String[Gen.Char["ab*"], 0, 8], Gen.String[Gen.Char["ab"], 0, 10]).Sample((pattern, text) =>
        SilenceMatcher.Glob(pattern, text).Should().Be(System.Text.RegularExpressions.Regex.IsMatch(text, "^" + pattern.Replace("*", ".*") + "$")), iter: 5_000);

    [Fact]
    public void Every_pattern_given_must_match()
    {
        bool Matches(SilenceMatch match) => SilenceMatcher.Matches(match, "message_bus.acl_violation.spam_attack", "acl/principal/rogue", null);
        Matches(new SilenceMatch()).Should().BeFalse("a silence of nothing silences nothing");
        Matches(new SilenceMatch { Type = "message_bus.*" }).Should().BeTrue();
        Matches(new SilenceMatch { Type = "message_bus.*", Key = "acl/topic/*" }).Should().BeFalse();
        Matches(new SilenceMatch { Subject = "*" }).Should().BeFalse("what is not known matches nothing");
    }

    [Fact]
    public void A_silence_ends_by_itself_whatever_the_clock_does()
    {
        _book.Take(_book.Plan(Add(), "s-1").Silence!).Should().BeTrue();
        var view = new SilenceView(_time);
        view.Swap(_book.Active, null);
        view.Muted(null, "acl/principal/rogue", null).Should().Contain("s-1").And.Contain("ann").And.Contain("deploy");
        view.Held(null, "acl/principal/rogue", null).Should().BeNull("it mutes, it does not hold");
        _time.Jump(TimeSpan.FromDays(1));
        _time.Advance(TimeSpan.FromMinutes(29));
        _book.Active.Should().ContainSingle();
        _time.Advance(TimeSpan.FromMinutes(1));
        (_book.Active.Count, view.Muted(null, "acl/principal/rogue", null), view.Active.Count()).Should().Be((0, null, 0));
    }

    [Fact]
    public void What_is_not_sensible_is_refused_with_the_reason()
    {
        _book.Plan(Add(key: null), "s").Refusal.Should().Contain("type, key and subject");
        _book.Plan(Add(key: new string('a', 129)), "s").Refusal.Should().Contain("128");
        _book.Plan(Add(minutes: 0), "s").Refusal.Should().Contain("over already");
        _book.Plan(Add(minutes: 60 * 24 * 366), "s").Refusal.Should().Contain("365 days");
        _book.Plan(Add(reason: " "), "s").Refusal.Should().Contain("reason");
        _book.Plan(new RemoveSilence("s-9", "ann")).Refusal.Should().Contain("s-9");
        for (var i = 0; i < SilenceBook.Max; i++) _book.Take(_book.Plan(Add(), "s-" + i).Silence!);
        _book.Plan(Add(), "s").Refusal.Should().Contain("100 silences");
    }

    [Fact]
    public void Books_that_exchange_what_they_know_end_with_the_same_and_an_end_stays_an_end()
    {
        // Two nodes, random words on either, in random order, through random exchanges.
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1], Gen.Int[0, 4]).List[1, 40].Sample(steps =>
        {
            var time = new JumpingTime();
            SilenceBook[] books = [new(time), new(time)];
            foreach (var (what, at, n) in steps)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                switch (what)
                {
                    case 0:
                        books[at].Take(books[at].Plan(new AddSilence(new SilenceMatch { Key = "k" }, time.GetUtcNow().AddHours(1), "r", SilenceAction.Hold, "ann"), "s-" + n).Silence!);
                        break;
                    case 1:
                        if (books[at].Plan(new RemoveSilence("s-" + n, "bob")).Silence is { } ended) books[at].Take(ended);
                        break;
                    default:
                        books[at].Take(books[1 - at].Shared);
                        books[at].KnowsMoreThan(SilenceBook.Join(books[at].Shared, books[1 - at].Shared, DateTimeOffset.MinValue)).Should().BeFalse();
                        break;
                }
            }

            books[0].Take(books[1].Shared);
            books[1].Take(books[0].Shared);
            books[0].Shared.Should().BeEquivalentTo(books[1].Shared);
            books[0].KnowsMoreThan(books[1].Shared).Should().BeFalse();
            books[0].Active.Select(x => x.Silence.Id).Should().Equal(books[1].Active.Select(x => x.Silence.Id));
        }, iter: 500);
    }
}
