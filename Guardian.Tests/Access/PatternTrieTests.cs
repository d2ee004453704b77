using CsCheck;
using Guardian.Actors.Access;

namespace Guardian.Tests.Access;

public sealed class PatternTrieTests
{
    private static readonly Gen<string> Segment = OneOf("a", "b", "c", "library");
    private static readonly Gen<string> Topic = Segment.Array[1, 5].Select(x => string.Join('.', x));

    private static readonly Gen<string> Pattern = Gen.Select(OneOf("a", "b", "c", "library", "*").Array[0, 4], Gen.Bool)
        .Select((segments, tail) => string.Join('.', tail || segments.Length == 0 ? [.. segments, ">"] : segments));

    [Fact]
    public void Finds_what_a_naive_matcher_finds() => Gen.Select(Pattern.Array[0, 30], Topic).Sample((patterns, topic) =>
    {
        var trie = new PatternTrie<int>();
        for (var i = 0; i < patterns.Length; i++) trie.Add(patterns[i], i);
        var expected = Enumerable.Range(0, patterns.Length).Where(i => Matches(patterns[i], topic)).ToList();
        var found = new List<int>();
        trie.Collect(topic, found);
        found.Order().Should().Equal(expected);
        trie.TryFirst(topic, out var first).Should().Be(expected.Count > 0);
        if (expected.Count > 0) first.Should().Be(expected[0]);
    });

    // Four letters over at most five segments: small enough to try every topic that a pattern could mean.
    [Fact]
    public void A_pattern_is_covered_only_if_every_topic_it_matches_is() => Gen.Select(Pattern, Pattern).Sample((rule, requested) =>
    {
        var trie = new PatternTrie<bool>();
        trie.Add(rule, true);
        if (!trie.TryFirst(requested, out _)) return;
        foreach (var topic in AllTopics()) (Matches(requested, topic) && !Matches(rule, topic)).Should().BeFalse($"{rule} was said to cover {requested} but not {topic}");
    }, iter: 500);

    [Fact]
    public void Overlap_is_a_common_topic() => Gen.Select(Pattern, Pattern).Sample((one, other) =>
        TopicNames.Overlap(one, other).Should().Be(AllTopics().Any(x => Matches(one, x) && Matches(other, x)), $"{one} and {other}"), iter: 500);

    [Fact]
    public void Removing_leaves_the_others() => Gen.Select(Pattern.Array[1, 20], Topic).Sample((patterns, topic) =>
    {
        var trie = new PatternTrie<int>();
        for (var i = 0; i < patterns.Length; i++) trie.Add(patterns[i], i);
        for (var i = 0; i < patterns.Length; i += 2) trie.Remove(patterns[i], i).Should().BeTrue();
        trie.Remove(patterns[0], 0).Should().BeFalse();
        var found = new List<int>();
        trie.Collect(topic, found);
        found.Order().Should().Equal(Enumerable.Range(0, patterns.Length).Where(i => i % 2 == 1 && Matches(patterns[i], topic)));
    });

    [Theory]
    [InlineData("library.books", true)]
    [InlineData("", false)]
    [InlineData(".library", false)]
    [InlineData("library.", false)]
    [InlineData("library..books", false)]
    [InlineData("library.*", false)]
    [InlineData("library.>", false)]
    [InlineData("lib*rary", false)]
    [InlineData("library.\n", false)]
    [InlineData("library.\u0085", false)]
    [InlineData("bücher.neu", true)]
    public void A_topic_is_valid_or_not(string topic, bool valid) => TopicNames.IsTopic(topic).Should().Be(valid);

    [Fact]
    public void A_topic_has_at_most_255_characters()
    {
        TopicNames.IsTopic(new string('a', 255)).Should().BeTrue();
        TopicNames.IsTopic(new string('a', 256)).Should().BeFalse();
        TopicNames.IsTopic(null).Should().BeFalse();
    }

    [Theory]
    [InlineData("library.>", true)]
    [InlineData("*", true)]
    [InlineData(">", true)]
    [InlineData("*.x.*", true)]
    [InlineData("library.>.x", false)]
    [InlineData("library.b*", false)]
    [InlineData("", false)]
    public void A_pattern_is_valid_or_not(string pattern, bool valid) => TopicNames.IsPattern(pattern, out _).Should().Be(valid);

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static bool Matches(string pattern, string topic)
    {
        var p = pattern.Split('.');
        var t = topic.Split('.');
        for (var i = 0; i < p.Length; i++)
        {
            if (p[i] == ">") return t.Length > i;
            if (i >= t.Length || (p[i] != "*" && p[i] != t[i])) return false;
        }

        return p.Length == t.Length;
    }

    private static IEnumerable<string> AllTopics()
    {
        string[] letters = ["a", "b", "c", "library", "other"];
        IEnumerable<string> level = letters;
        for (var depth = 1; depth <= 5; depth++)
        {
            foreach (var topic in level) yield return topic;
            level = level.SelectMany(x => letters.Select(y => x + "." + y));
        }
    }
}
