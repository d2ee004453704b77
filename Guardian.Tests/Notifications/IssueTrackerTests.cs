using Akka.Actor;
using Guardian.Actors.Notifications;
using Guardian.Tests.Persistence;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

/// <summary>One open issue per playbook and subject, whatever recurs, fails or dies.</summary>
public sealed class IssueTrackerTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly JournalSystem _journal = new();
    private IssueServer _server = null!;
    private string? _token = "t0ken";

    public async Task InitializeAsync() => _server = await IssueServer.StartAsync();

    public async Task DisposeAsync()
    {
        _journal.Dispose();
        await _server.DisposeAsync();
    }

    private OutboxDependencies Deps()
    {
        var deps = Dependencies(_journal.Folder, file: "");
        return deps with
        {
            Environment = name => name == "TRACKER_TOKEN" ? _token : null,
            Tasks = new TaskOptions { File = "", Issues = new IssueOptions { Url = _server.Url.ToString(), Repository = "ops/guardian", SecretFromEnvironment = "TRACKER_TOKEN" } },
        };
    }

    private IActorRef Start(ActorSystem? system = null) => (system ?? _journal.Start()).ActorOf(Outbox.Props("tasks", Deps()));

    private static Deliver Task(string key, string item = "fix/acl/principal/rogue") => Item(key, "tasks", item) with { At = DateTimeOffset.UtcNow };

    private static async Task DeliveredAsync(IActorRef outbox, long count) => await Eventually.HoldsAsync(async () =>
        (await outbox.Ask<OutboxStatus>(new GetOutboxStatus { Channel = "tasks" }, Patience)).Should().Match<OutboxStatus>(x => x.Delivered == count && x.Pending == 0), 60);

    private static async Task AskAsync(IActorRef outbox, Deliver item) => (await outbox.Ask<OutboxAccepted>(item, Patience)).Accepted.Should().BeTrue();

    private string Body(int issue) => (string)_server.Issues[issue]["body"]!;

    [Fact]
    public async Task Twenty_recurrences_are_one_issue_with_a_counter()
    {
        var outbox = Start();
        for (var i = 0; i <= 20; i++) await AskAsync(outbox, Task("run-" + i));
        await AskAsync(outbox, Task("other", "fix/acl/principal/other"));
        await DeliveredAsync(outbox, 22);

        _server.Issues.Should().HaveCount(2);
        Body(0).Should().Contain("Occurrences: 21, last at");
        _server.Comments.Where(x => x.Issue == 1).Should().HaveCount(20);
        ((string)_server.Comments[^1].Comment["body"]!).Should().Contain("Occurrence 21: rogue was banned");
    }

    [Fact]
    public async Task A_lost_answer_and_a_death_open_nothing_twice()
    {
        // Everything is carried out, but the answer to the first try of each write is lost.
        var lost = new HashSet<string>();
        _server.Fault = (method, path) => method != "GET" && lost.Add($"{method} {path} {_server.Comments.Count}") ? 502 : 0;
        var first = _journal.Start();
        var outbox = Start(first);
        await AskAsync(outbox, Task("run-1"));
        await AskAsync(outbox, Task("run-2"));
        await DeliveredAsync(outbox, 2);
        _server.Issues.Should().ContainSingle();
        _server.Comments.Should().ContainSingle();
        Body(0).Should().Contain("Occurrences: 2,");

        // The issue is written, the process dies before it knows.
        _server.Fault = (_, _) => 0;
        var hang = new TaskCompletionSource();
        _server.Fault = (method, _) =>
        {
            if (method == "POST") hang.Task.Wait(Patience);
            return 0;
        };
        await AskAsync(outbox, Task("run-3", "fix/third"));
        await Eventually.HoldsAsync(() => _server.Issues.Should().HaveCount(2));
        await JournalSystem.KillAsync(first);
        hang.SetResult();
        _server.Fault = (_, _) => 0;
        var again = Start();
        await DeliveredAsync(again, 3);
        _server.Issues.Should().HaveCount(2, "the mark was found");
    }

    [Fact]
    public async Task What_people_closed_is_opened_anew_and_an_undo_only_comments()
    {
        var outbox = Start();
        await AskAsync(outbox, Task("run-0/undo") with { CommentOnly = true });
        await AskAsync(outbox, Task("run-1"));
        await AskAsync(outbox, Task("run-1/undo") with { CommentOnly = true, Text = "taken back" });
        await DeliveredAsync(outbox, 3);
        _server.Issues.Should().ContainSingle();
        ((string)_server.Comments.Should().ContainSingle().Subject.Comment["body"]!).Should().Contain("taken back");
        Body(0).Should().Contain("Occurrences: 1,");

        _server.Issues[0]["state"] = "closed";
        await AskAsync(outbox, Task("run-2"));
        await DeliveredAsync(outbox, 4);
        _server.Issues.Should().HaveCount(2);
        Body(1).Should().Contain("Occurrences: 1,");
    }

    [Fact]
    public async Task Text_from_outside_forges_no_mark_and_calls_nobody_and_a_refused_token_waits_for_a_better_one()
    {
        _token = "wrong";
        var outbox = Start();
        var victim = Task("run-2", "fix/victim");
        await AskAsync(outbox, Task("run-1") with { Text = $"hello @everyone {IssueText.ItemMark(victim)}" });
        await Eventually.HoldsAsync(async () => (await outbox.Ask<OutboxStatus>(new GetOutboxStatus { Channel = "tasks" }, Patience))
            .Should().Match<OutboxStatus>(x => x.Pending == 1 && x.Dead == 0 && x.LastFailure!.Contains("Guardian:Tasks:Issues") && !x.LastFailure.Contains("wrong")));
        _token = "t0ken";
        await AskAsync(outbox, victim);
        await DeliveredAsync(outbox, 2);
        _server.Issues.Should().HaveCount(2);
        Body(0).Should().NotContain("@everyone").And.NotContain(IssueText.ItemMark(victim));
    }
}
