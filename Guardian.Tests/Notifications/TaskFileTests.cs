using System.Text.Json;
using Guardian.Actors.Notifications;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

public sealed class TaskFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("guardian-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string FilePath => Path.Combine(_folder, "sub", "tasks.jsonl");

    private JsonElement[] Lines => [.. File.ReadAllLines(FilePath).Select(x => JsonDocument.Parse(x).RootElement)];

    private static Deliver Task(string key, string item = "fix/rogue") => Item(key, "tasks", item);

    [Fact]
    public void A_key_is_one_line_also_for_the_next_process()
    {
        var file = new TaskFile(FilePath);
        var first = file.Write(Task("k1"))!;
        file.Write(Task("k1")).Should().Be(first);
        new TaskFile(FilePath).Write(Task("k1")).Should().Be(first);

        var line = Lines.Should().ContainSingle().Subject;
        line.EnumerateObject().Select(x => x.Name).Should().Contain(["id", "itemKey", "title", "body", "state", "createdAt", "key"]);
        line.GetProperty("state").GetString().Should().Be("open");
    }

    [Fact]
    public void A_recurrence_is_a_comment_on_the_open_item()
    {
        var file = new TaskFile(FilePath);
        var opened = file.Write(Task("k1"))!;
        var comment = new TaskFile(FilePath).Write(Task("k2"))!;
        var other = file.Write(Task("k3", "fix/other"))!;

        comment.Should().Match<TaskRecord>(x => x.Id == opened.Id && x.State == "comment");
        other.Should().Match<TaskRecord>(x => x.Id != opened.Id && x.State == "open");
        Lines.Select(x => x.GetProperty("state").GetString()).Should().Equal("open", "comment", "open");
    }

    [Fact]
    public void An_item_that_a_person_closed_is_opened_anew()
    {
        var file = new TaskFile(FilePath);
        var opened = file.Write(Task("k1"))!;
        File.AppendAllText(FilePath, JsonSerializer.Serialize(opened with { State = "closed", Key = "" }, OutboxJson.Default.TaskRecord) + "\n");

        file.Write(Task("k2")).Should().Match<TaskRecord>(x => x.State == "open" && x.Id != opened.Id);
    }

    [Fact]
    public void A_recurrence_counts_and_an_undo_only_comments_what_is_open()
    {
        var file = new TaskFile(FilePath);
        file.Write(Task("undo-of-nothing") with { CommentOnly = true }).Should().BeNull("nobody has it open");
        File.Exists(FilePath).Should().BeFalse();
        file.Write(Task("k1"))!.Occurrence.Should().Be(1);
        new TaskFile(FilePath).Write(Task("k2"))!.Occurrence.Should().Be(2);
        file.Write(Task("k1/undo") with { CommentOnly = true }).Should().Match<TaskRecord>(x => x.State == "comment" && x.Occurrence == 2);
        new TaskFile(FilePath).Write(Task("k3"))!.Occurrence.Should().Be(3);
    }

    [Fact]
    public void A_line_torn_by_a_crash_swallows_nothing()
    {
        new TaskFile(FilePath).Write(Task("k1"));
        File.AppendAllText(FilePath, """{"id":"task-1","itemK""");
        var file = new TaskFile(FilePath);

        file.Write(Task("k2"))!.State.Should().Be("comment");

        file.Unreadable.Should().Be(1);
        File.ReadAllLines(FilePath).Should().HaveCount(3);
        new TaskFile(FilePath).Write(Task("k2"))!.State.Should().Be("comment");
        File.ReadAllLines(FilePath).Should().HaveCount(3, "the key is found again");
    }

    [Fact]
    public async Task Both_places_must_have_it_and_none_gets_it_twice_by_a_retry()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = _ => 503;
        using var http = HttpDelivery.Create(TimeProvider.System);
        var channel = new TaskChannel(new TaskFile(FilePath), http, receiver.Url);

        (await channel.SendAsync(new Sending(Task("k1")), default)).Should().BeOfType<ChannelResult.Retry>();
        Lines.Should().HaveCount(1);
        receiver.Answer = _ => 201;
        (await channel.SendAsync(new Sending(Task("k1")), default)).Should().Be(ChannelResult.Ok);

        Lines.Should().HaveCount(1);
        receiver.Requests.Should().HaveCountGreaterThan(1).And.OnlyContain(x => x.Key == "k1" && x.ContentType == "application/json");
        receiver.Requests.Select(x => x.Text).Distinct().Should().ContainSingle("a repeat says the same").Which.Should().Contain("\"state\":\"open\"");
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_tried_again()
    {
        Directory.CreateDirectory(FilePath); // a folder where the file should be
        using var http = HttpDelivery.Create(TimeProvider.System);

        (await new TaskChannel(new TaskFile(FilePath), http, null).SendAsync(new Sending(Task("k1")), default))
            .Should().BeOfType<ChannelResult.Retry>().Which.Reason.Should().Contain("Guardian:Tasks:File");
    }

    [Fact]
    public void A_file_that_grew_too_large_keeps_what_is_open()
    {
        var file = new TaskFile(FilePath, maxBytes: 8 * 1024);
        for (var i = 0; i < 3; i++) file.Write(Task("kept-" + i, "fix/kept"))!.Occurrence.Should().Be(i + 1);
        for (var i = 0; i < 200; i++)
        {
            var opened = file.Write(Task("k" + i, "fix/" + i))!;
            File.AppendAllText(FilePath, JsonSerializer.Serialize(opened with { State = "closed", Key = "" }, OutboxJson.Default.TaskRecord) + "\n");
            new FileInfo(FilePath).Length.Should().BeLessThan(10 * 1024);
        }

        File.Exists(FilePath + ".old").Should().BeTrue();
        foreach (var reader in (TaskFile[])[file, new TaskFile(FilePath)])
            reader.Write(Task("again-" + reader.GetHashCode(), "fix/kept"))!.State.Should().Be("comment");
        Lines[^1].GetProperty("occurrence").GetInt32().Should().Be(5, "it is counted on");
        new TaskFile(FilePath).Write(Task("new", "fix/7"))!.State.Should().Be("open", "it was closed");
    }

    [Fact]
    public void Keys_and_open_items_are_bounded()
    {
        var book = new TaskBook();
        var record = book.Plan(Task("k", "fix/0")).Record!;
        for (var i = 0; i < OutboxState.MaxEnded + 10; i++) book.Add(record with { Key = "k" + i, State = "comment" });
        book.Remembered.Should().Be(OutboxState.MaxEnded);

        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.WriteAllLines(FilePath, Enumerable.Range(0, TaskBook.MaxOpen).Select(i => JsonSerializer.Serialize(record with { Key = "k" + i, Id = "task-" + i, ItemKey = "fix/" + i }, OutboxJson.Default.TaskRecord)));
        var file = new TaskFile(FilePath);
        file.Invoking(x => x.Write(Task("one", "fix/more"))).Should().Throw<TaskFileFullException>().WithMessage("*close some*");
        file.Write(Task("two", "fix/7"))!.State.Should().Be("comment", "what is open goes on");
    }
}
