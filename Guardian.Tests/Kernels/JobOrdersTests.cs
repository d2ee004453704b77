using System.Text;
using Guardian.Actors.Bus;
using Guardian.Actors.Kernels;

namespace Guardian.Tests.Kernels;

public sealed class JobOrdersTests
{
    private static BusMessage Message(string body) => new() { Id = "n1-1", Topic = "scheduler.jobs.pool", Principal = "librarian", Body = Encoding.UTF8.GetBytes(body), At = DateTimeOffset.UnixEpoch };

    [Theory]
    [InlineData("", null, "", 5)]
    [InlineData("""{ "command": "index", "payload": "$(id)", "priority": "high" }""", "index", "$(id)", 8)]
    [InlineData("""{ "payload": { "a": 1 }, "priority": 0 }""", null, """{ "a": 1 }""", 0)]
    public void An_order_is_read_and_belongs_to_its_publisher(string body, string? command, string payload, int priority)
    {
        var (submit, problem) = JobOrders.Read("pool", Message(body));
        problem.Should().BeNull();
        submit.Should().Be(new SubmitJob { Kernel = "pool", Command = command, Payload = payload, Priority = priority, By = "bus/librarian/n1-1" });
    }

    [Theory]
    [InlineData("nonsense", "must be an object")]
    [InlineData("null", "'priority'")]
    [InlineData("""{ "comand": "index" }""", "must be an object")]
    [InlineData("""{ "priority": 10 }""", "0 to 9")]
    [InlineData("""{ "priority": "urgent" }""", "low, normal, high, critical")]
    public void What_is_no_order_is_said(string body, string problem)
    {
        var (submit, why) = JobOrders.Read("pool", Message(body));
        submit.Should().BeNull();
        why.Should().Contain(problem);
    }
}
