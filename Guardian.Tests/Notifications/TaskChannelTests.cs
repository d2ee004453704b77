using Akka.Actor;
using Guardian.Actors.Notifications;
using Guardian.Tests.Persistence;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

/// <summary>Several receivers of work items: none holds another up, none gets an item twice.</summary>
public sealed class TaskChannelTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly JournalSystem _journal = new();
    private Receiver _webhook = null!;
    private IssueServer _issues = null!;
    private int _issueCalls;

    public async Task InitializeAsync()
    {
        _webhook = await Receiver.StartAsync();
        _issues = await IssueServer.StartAsync();
        _issues.Fault = (_, _) =>
        {
            Interlocked.Increment(ref _issueCalls);
            return 0;
        };
    }

    public async Task DisposeAsync()
    {
        _journal.Dispose();
        await _webhook.DisposeAsync();
        await _issues.DisposeAsync();
    }

    private OutboxDependencies Deps(string file = "") => Dependencies(_journal.Folder) with
    {
        Environment = name => name == "TRACKER_TOKEN" ? "t0ken" : null,
        Tasks = new TaskOptions
        {
            File = file, Webhook = _webhook.Url.ToString(), Issues = new IssueOptions { Url = _issues.Url.ToString(), Repository = "ops/guardian", SecretFromEnvironment = "TRACKER_TOKEN" },
        },
    };

    private IActorRef Start(ActorSystem system, string file = "") => system.ActorOf(Outbox.Props("tasks", Deps(file)));

    private static Deliver Task(string key) => Item(key, "tasks", "fix/acl/principal/rogue") with { At = DateTimeOffset.UtcNow };

    private static Task<OutboxStatus> StatusAsync(IActorRef outbox) => outbox.Ask<OutboxStatus>(new GetOutboxStatus { Channel = "tasks" }, Patience);

    [Fact]
    public async Task A_webhook_that_refuses_does_not_keep_the_issue_from_being_opened()
    {
        _webhook.Answer = x => x.Key == "first" ? 400 : 204;
        var outbox = Start(_journal.Start());
        await outbox.Ask<OutboxAccepted>(Task("first"), Patience);
        await outbox.Ask<OutboxAccepted>(Task("second"), Patience);

        await Eventually.HoldsAsync(async () => (await StatusAsync(outbox)).Should().Match<OutboxStatus>(x => x.Dead == 1 && x.Delivered == 1 && x.Pending == 0));
        _issues.Issues.Should().ContainSingle("the second is a comment on it");
        _issues.Comments.Should().ContainSingle();
    }

    [Fact]
    public async Task A_webhook_that_does_not_answer_holds_no_issue_back_and_the_issue_is_not_opened_again()
    {
        _webhook.Answer = _ => 503;
        var first = _journal.Start();
        await Start(first).Ask<OutboxAccepted>(Task("k"), Patience);
        await Eventually.HoldsAsync(() => _journal.Rows("select count(*) from guardian_journal where manifest = 'delivery-partly-done:v1'").Should().Equal("1"));
        _issues.Issues.Should().ContainSingle();
        await JournalSystem.KillAsync(first);
        var calls = Volatile.Read(ref _issueCalls);
        _webhook.Answer = _ => 204;

        var again = Start(_journal.Start());

        await Eventually.HoldsAsync(async () => (await StatusAsync(again)).Should().Match<OutboxStatus>(x => x.Delivered == 1 && x.Pending == 0));
        Volatile.Read(ref _issueCalls).Should().Be(calls, "the journal knows that it is open");
        _issues.Issues.Should().ContainSingle();
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_keeps_nothing_from_the_others()
    {
        Directory.CreateDirectory(Path.Combine(_journal.Folder, "tasks.jsonl")); // a folder where the file should be
        var outbox = Start(_journal.Start(), "tasks.jsonl");
        await outbox.Ask<OutboxAccepted>(Task("k"), Patience);

        await Eventually.HoldsAsync(async () => (await StatusAsync(outbox)).Should().Match<OutboxStatus>(x => x.Pending == 1 && x.Attempts > 1 && x.LastFailure!.Contains("Guardian:Tasks:File")));
        _issues.Issues.Should().ContainSingle();
        _webhook.Keys.Should().Equal("k");
    }
}
