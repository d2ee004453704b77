using System.Diagnostics;
using System.Net;
using Guardian.Tests.Persistence;
using Npgsql;

namespace Guardian.Tests.Node;

/// <summary>
/// The database takes no writes: the disk is full, or PostgreSQL lets nobody in. The bus goes on, incidents wait, and nothing is lost once
/// it is back.
/// </summary>
public sealed class DatabaseAwayTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90); // the journal's breaker and the entities' back-off come on top

    [RootFact]
    public async Task A_full_disk()
    {
        var disk = Directory.CreateTempSubdirectory("guardian-disk-").FullName;
        await RunAsync("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk);
        try
        {
            var filler = Path.Combine(disk, "filler");
            await CheckAsync([$"--Guardian:Node:DataDirectory={disk}/data"], Path.Combine(disk, "data"), "full", () => Fill(filler), () => File.Delete(filler));
        }
        finally
        {
            await RunAsync("umount", "-l", disk);
            Directory.Delete(disk);
        }
    }

    [PostgresFact]
    public async Task A_PostgreSQL_that_refuses_everybody()
    {
        var connectionString = Postgres.Create();
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        var folder = Directory.CreateTempSubdirectory("guardian-test-").FullName;
        try
        {
            await CheckAsync([$"--Guardian:Node:DataDirectory={folder}", "--Guardian:Persistence:Provider=postgres", $"--Guardian:Persistence:ConnectionString={connectionString}"], folder, "not answer",
                () => Postgres.Run($"alter database {database} allow_connections false; select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'"),
                () => Postgres.Run($"alter database {database} allow_connections true"));
        }
        finally
        {
            Postgres.Run($"alter database {database} allow_connections true");
            Postgres.Drop(connectionString);
        }
    }

    private static async Task CheckAsync(string[] options, string data, string reason, Action away, Action back)
    {
        await using var node = await NodeProcess.StartAsync(options);
        node.Http.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync(Path.Combine(data, "admin.key"))).Trim());
        await FloodAsync(node, "before");
        await node.UntilAsync("healed before", () => ResolvedAsync(node, "before"), Soon);

        away();
        await node.UntilAsync("degraded", async () => (await node.Http.GetStringAsync("/ready")).Contains("degraded: journal"), Soon);
        await node.UntilAsync("strict fails", async () => (await node.Http.GetAsync("/ready?strict=true")).StatusCode == HttpStatusCode.InternalServerError, Soon);
        (await node.GetAsync("/api/v1/status")).GetProperty("journal").GetProperty("reason").GetString().Should().Contain(reason);
        using (var publish = await node.PublishAsync("librarian", "library.books")) publish.StatusCode.Should().Be(HttpStatusCode.Accepted);
        await FloodAsync(node, "meanwhile");
        using (var denied = await node.PublishAsync("meanwhile", "system.control.x")) denied.StatusCode.Should().Be(HttpStatusCode.Forbidden);

        back();
        await node.UntilAsync("ready", async () => await node.Http.GetStringAsync("/ready") == "OK", Soon);
        await node.UntilAsync("what was seen meanwhile is healed", () => ResolvedAsync(node, "meanwhile"), Soon);
        (await ResolvedAsync(node, "before")).Should().BeTrue();
    }

    private static async Task FloodAsync(NodeProcess node, string principal)
    {
        for (var i = 0; i < 12; i++)
        {
            using var answer = await node.PublishAsync(principal, "system.control." + principal);
            answer.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        }
    }

    private static async Task<bool> ResolvedAsync(NodeProcess node, string principal) => (await node.ListAsync("/api/v1/incidents?limit=100"))
        .Any(x => x.GetProperty("key").GetString() == "acl/principal/" + principal && x.GetProperty("state").GetString() == "resolved");

    /// <summary>To the last byte.</summary>
    private static void Fill(string file)
    {
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in new[] { 1 << 16, 1 << 12, 1 })
        {
            try
            {
                var block = new byte[size];
                while (true) stream.Write(block);
            }
            catch (IOException)
            {
                // No room for so much; the next try is smaller.
            }
        }
    }

    private static async Task RunAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0, error);
    }
}

/// <summary>A fact that mounts a file system; skips itself with the reason where that is not allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = Environment.IsPrivilegedProcess && OperatingSystem.IsLinux() && MayMount() ? null : "needs root, and the right to mount a tmpfs";

    private static bool MayMount()
    {
        var folder = Directory.CreateTempSubdirectory("guardian-mount-").FullName;
        try
        {
            using var mount = Process.Start(new ProcessStartInfo("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]) { RedirectStandardError = true })!;
            mount.WaitForExit();
            if (mount.ExitCode != 0) return false;
            using var undo = Process.Start("umount", ["-l", folder]);
            undo.WaitForExit();
            return true;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
        finally
        {
            Directory.Delete(folder);
        }
    }
}
