using Guardian.Playbooks.Model;
using Guardian.Playbooks.Yaml;

namespace Guardian.Tests.Playbooks.Yaml;

public sealed class MapReaderTests
{
    [Fact]
    public void Values_are_typed()
    {
        var (map, sink) = Read("text: x\nint: 5\ndouble: 1.5\nbool: true\nwait: 10s\nrate: 10/s\nmode: observe\nlist: [a, b]\nmap: { k: v }\nnothing:\n");

        map.Text("text").Should().Be("x");
        map.Int("int", 0, 1, 5).Should().Be(5);
        map.Double("double", 0).Should().Be(1.5);
        map.Bool("bool", false).Should().BeTrue();
        map.Duration("wait", TimeSpan.Zero).Should().Be(TimeSpan.FromSeconds(10));
        map.Rate("rate").Should().Be(new Rate(10, TimeSpan.FromSeconds(1)));
        map.Enum("mode", OperatingMode.Enforce).Should().Be(OperatingMode.Observe);
        map.Texts("list").Should().Equal("a", "b");
        map.Map("map")!.Text("k").Should().Be("v");
        map.Text("nothing").Should().BeNull();
        map.Finish();
        sink.Errors.Should().BeEmpty();
    }

    [Theory]
    [InlineData("int: x", "'k' must be a whole number, not 'x'")]
    [InlineData("int: '5'", "'k' must be a whole number, not '5'")]
    [InlineData("int: 11", "'k' must be between 1 and 10, not 11")]
    [InlineData("bool: yes", "'k' must be true or false, not 'yes'")]
    [InlineData("wait: 10", "'k' must be a duration such as 200ms, 10s, 5m, 1h, not '10'")]
    [InlineData("wait: 2h", "'k' must be between 1s and 1h, not 2h")]
    [InlineData("rate: 10", "'k' must be a rate such as 10/s, 600/m, 1000/h, not '10'")]
    [InlineData("mode: on", "'k' must be one of observe, propose, enforce, not 'on'")]
    [InlineData("list: x", "'k' must be a list, not 'x'")]
    [InlineData("text: [x]", "'k' must be text, not a list")]
    [InlineData("map: x", "'k' must be a map of keys and values, not 'x'")]
    public void Wrong_value_is_reported_and_reading_goes_on(string line, string message)
    {
        var kind = line[..line.IndexOf(':')];
        var (map, sink) = Read("k" + line[kind.Length..]);
        _ = kind switch
        {
            "int" => (object?)map.Int("k", 0, 1, 10),
            "bool" => map.Bool("k", false),
            "wait" => map.Duration("k", TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            "rate" => map.Rate("k"),
            "mode" => map.Enum("k", OperatingMode.Enforce),
            "list" => map.List("k"),
            "map" => map.Map("k"),
            _ => map.Text("k"),
        };

        sink.Errors.Should().ContainSingle().Which.ToString().Should().Be($"f.yaml:1:4: {message}");
    }

    [Fact]
    public void Unknown_key_names_the_nearest_right_one()
    {
        var (map, sink) = Read("tiemout: 5s\n");
        map.Duration("timeout", TimeSpan.Zero);
        map.Text("name");
        map.Finish();

        sink.Errors.Should().ContainSingle().Which.ToString().Should().Be("f.yaml:1:1: a thing has no key 'tiemout'; did you mean 'timeout'?");
    }

    private static (MapReader Map, ErrorSink Sink) Read(string text)
    {
        var sink = new ErrorSink("f.yaml");
        return (MapReader.Of(YamlReader.Read(text, sink), sink, "a thing")!, sink);
    }
}
