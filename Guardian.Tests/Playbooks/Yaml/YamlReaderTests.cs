using System.Diagnostics;
using System.Text;
using CsCheck;
using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Tests.Playbooks.Yaml;

public sealed class YamlReaderTests
{
    [Fact]
    public void Nodes_know_their_place()
    {
        var (root, errors) = Read("a: 1\nlist:\n  - x: 'quoted'\n  - plain text\n");

        errors.Should().BeEmpty();
        var list = root!.Get("list")!;
        (list.Items[0].Line, list.Items[0].Column).Should().Be((3, 5));
        var quoted = list.Items[0].Get("x")!;
        (quoted.Line, quoted.Column, quoted.ColumnAt(2), quoted.IsPlain).Should().Be((3, 8, 11, false));
        (list.Items[1].Line, list.Items[1].ColumnAt(3)).Should().Be((4, 8));
    }

    [Theory]
    [InlineData("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key 'a'; it is already set on line 1")]
    [InlineData("a: &x 1\n", 1, 4, "anchor '&x' is not allowed; write the value where it is used")]
    [InlineData("a: *x\n", 1, 4, "alias '*x' is not allowed; write the value out")]
    [InlineData("a: !!int 1\n", 1, 4, "tag 'tag:yaml.org,2002:int' is not allowed; values have no tags")]
    [InlineData("a: !<tag:yaml.org,2002:python/object> {}\n", 1, 4, "tag 'tag:yaml.org,2002:python/object' is not allowed; values have no tags")]
    [InlineData("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here; one file holds one document")]
    [InlineData("", 1, 1, "the file is empty")]
    [InlineData("a: 1\nb: \0\n", 2, 4, "control character U+0000 is not allowed; the file is not plain text")]
    [InlineData("[a]: 1\n", 1, 1, "a key must be text, not a list")]
    public void What_is_not_allowed_is_reported_at_its_place(string text, int line, int column, string message)
    {
        var (_, errors) = Read(text);

        errors.Should().ContainSingle().Which.ToString().Should().Be($"f.yaml:{line}:{column}: {message}");
    }

    [Theory]
    [InlineData("a: [1, 2\n")]
    [InlineData("a: 'open\n")]
    [InlineData("a: b: c\n")]
    public void Malformed_text_is_an_error_with_a_line(string text)
    {
        var (root, errors) = Read(text);

        root.Should().BeNull();
        errors.Should().ContainSingle().Which.Message.Should().StartWith("not valid YAML");
        errors[0].Line.Should().BePositive();
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "nested deeper", "a: " + new string('[', 10_000) },
        { "nested deeper", "a: " + string.Concat(Enumerable.Repeat("{b: ", 10_000)) },
        { "nested deeper", string.Concat(Enumerable.Range(0, 400).Select(x => new string(' ', x) + "k:\n")) },
        { "anchor", "a: &a [x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\n" },
        { "bytes; at most", "a: " + new string('x', 10 * 1024 * 1024) },
        { "values", "a: [" + string.Concat(Enumerable.Repeat("1,", 100_000)) + "]" },
        { "U+0000", new string('\0', 1000) },
        { "valid YAML", "a: \"" + new string('x', 200_000) },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Hostile_text_is_refused_quickly(string message, string text)
    {
        var watch = Stopwatch.StartNew();
        var (_, errors) = Read(text);

        errors.Should().NotBeEmpty().And.Contain(x => x.Message.Contains(message), "errors are {0}", string.Join("; ", errors.Take(3)));
        watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(5), "it takes milliseconds on an idle machine");
    }

    [Fact]
    public void Many_errors_are_bounded_and_counted()
    {
        var (_, errors) = Read(string.Concat(Enumerable.Repeat("a: 1\n", 1_001)));

        errors.Should().HaveCount(YamlLimits.Errors + 1);
        errors[^1].Message.Should().Be("800 more errors are not shown");
    }

    [Fact]
    public void File_that_is_not_UTF8_is_refused()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [0x61, 0x3a, 0x20, 0xff, 0xfe]);
            var sink = new ErrorSink(path);
            YamlReader.ReadFile(path, sink).Root.Should().BeNull();
            sink.Errors.Should().ContainSingle().Which.Message.Should().Contain("not valid UTF-8");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Random_text_never_crashes_the_reader() =>
        Gen.String[Gen.OneOf(Gen.Char["{}[]:,-?&*!|>'\"%@` \n\t#~<ab01"], Gen.Char), 0, 200]
            .Sample(text => Read(text).Root is not null || Read(text).Errors.Count > 0, iter: 20_000, threads: 1);

    [Fact]
    public void Random_bytes_never_crash_the_reader() =>
        Gen.Byte.Array[0, 100].Sample(bytes => _ = Read(Encoding.Latin1.GetString(bytes)), iter: 5_000, threads: 1);

    private static (YamlNode? Root, IReadOnlyList<Guardian.Playbooks.Validation.FileError> Errors) Read(string text)
    {
        var sink = new ErrorSink("f.yaml");
        return (YamlReader.Read(text, sink), sink.Errors);
    }
}
