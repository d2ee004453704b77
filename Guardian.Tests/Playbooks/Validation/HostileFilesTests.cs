using System.Diagnostics;
using Guardian.Playbooks.Validation;

namespace Guardian.Tests.Playbooks.Validation;

/// <summary>Files that mean harm get one clear error, quickly and in little memory.</summary>
public sealed class HostileFilesTests
{
    /// <summary>A whole "playbooks validate" of each takes less than 0.5 s and 70 MB; the bound leaves room for a loaded machine.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private const long MostBytes = 100L << 20;

    public static TheoryData<string, string, string> Files => new()
    {
        { "10 MB", "a: " + new string('x', 10 << 20), "at most 262144 are read" },
        { "10,000 nested lists", "a: " + new string('[', 10_000) + new string(']', 10_000), "nested deeper than 32 levels" },
        { "10,000 nested maps", string.Concat(Enumerable.Repeat("{a: ", 10_000)) + new string('}', 10_000), "nested deeper than 32 levels" },
        { "10,000 brackets in an expression", PlaybookLoaderTests.Minimal($"steps:\n  - {{ id: a, action: bus.restart, if: \"{new string('(', 10_000)}\" }}\n"), "at most 1024 are allowed" },
        { "1,000 brackets in an expression", PlaybookLoaderTests.Minimal($"steps:\n  - {{ id: a, action: bus.restart, if: \"{new string('(', 1_000)}\" }}\n"), "nested deeper than 32 levels" },
        { "alias bomb", Bomb(), "alias '*a' is not allowed; write the value out" },
        { "type tag", "a: !!System.Diagnostics.Process {}\n", "is not allowed; values have no tags" },
        { "NUL bytes", "apiVersion: guardian/v1\nkind: \0\0\0\n", "control character U+0000 is not allowed; the file is not plain text" },
        { "50,000 commas", "[" + new string(',', 200_000) + "]", "not valid YAML" },
        { "100,000 values", "[" + string.Concat(Enumerable.Repeat("a,", 100_000)) + "a]", "the file has more than 50000 values" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Get_a_clear_error(string what, string text, string message)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("guardian-hostile-").FullName, "hostile.yaml");
        File.WriteAllText(path, text);
        try
        {
            PlaybookLoader.LoadFile(path, TestVocabulary.Instance); // what is compiled once is not the file's cost
            var (bytes, clock) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.StartNew());

            var result = PlaybookLoader.LoadFile(path, TestVocabulary.Instance);

            result.Playbooks.Should().BeEmpty();
            result.Errors.Should().Contain(x => x.Message.Contains(message, StringComparison.Ordinal) && x.File == path, what);
            result.Errors.Should().HaveCountLessThan(250);
            clock.Elapsed.Should().BeLessThan(Longest, what);
            (GC.GetAllocatedBytesForCurrentThread() - bytes).Should().BeLessThan(MostBytes, what);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    private static string Bomb() => string.Concat(Enumerable.Range(1, 9).Select(i =>
        $"{(char)('a' + i)}: &{(char)('a' + i)} [{string.Join(",", Enumerable.Repeat("*" + (char)('a' + i - 1), 9))}]\n").Prepend("a: &a [lol]\n"));
}
