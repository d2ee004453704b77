using System.ComponentModel;
using System.IO.Enumeration;
using Guardian.Actors.Resources;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Actions.BuiltIn;

/// <summary>Input of <c>disk.clean</c>.</summary>
internal sealed record DiskCleanInput(
    [property: Description("A folder of Guardian:Clean:Folders by its name; all of them where missing.")] string? Folder = null,
    [property: Description("Only files last written before this; never less than the folder's MinAge. 1d where missing.")] Duration? OlderThan = null,
    [property: Description("Stops once a folder is down to this size, the oldest files going first; where missing all that are old enough go.")] ByteSize? Keep = null);

/// <summary>Output of <c>disk.clean</c>.</summary>
internal sealed record DiskCleanOutput(
    [property: Description("Files deleted.")] int Files,
    [property: Description("Their sizes, bytes. A file that a process still has open frees its space when that closes it.")] long Bytes,
    [property: Description("Files that could not be deleted.")] int Failed,
    [property: Description("Why nothing was deleted, or the first failure; missing where there is nothing to say.")] string? Reason);

/// <summary>Deletes old files inside configured folders only, the oldest first. Links are neither followed nor deleted.</summary>
internal sealed class DiskClean(ActionDependencies dependencies) : GuardianAction<DiskCleanInput, DiskCleanOutput>
{
    private const int MaxFiles = 100_000; // per folder and call; the next call goes on
    private const int MaxDepth = 32;

    private static readonly TimeSpan DefaultAge = TimeSpan.FromDays(1);

    public override string Name => "disk.clean";

    public override string Summary => "Deletes old files inside the configured folders.";

    public override RiskClass Risk => RiskClass.Destroy;

    public override bool Idempotent => true;

    public override Task<DiskCleanOutput> ExecuteAsync(DiskCleanInput input, ActionContext context, CancellationToken cancellation)
    {
        if (ConfinedDelete.Unsupported is { } unsupported) throw new ActionFailedException($"{Name}: {unsupported}");
        var folders = dependencies.Clean.Folders;
        if (input.Folder is { } name && !folders.ContainsKey(name))
            throw new ActionFailedException($"{Name}: no folder '{name}' is configured in Guardian:Clean:Folders; known are: {(folders.Count == 0 ? "none" : string.Join(", ", folders.Keys))}");
        if (folders.Count == 0) return Task.FromResult(new DiskCleanOutput(0, 0, 0, "Guardian:Clean:Folders is empty, so that nothing may be deleted"));
        var tally = new Tally();
        foreach (var (_, folder) in folders.Where(x => input.Folder is null || x.Key == input.Folder)) Clean(folder, input, tally, context, cancellation);
        return Task.FromResult(new DiskCleanOutput(tally.Files, tally.Bytes, tally.Failed, tally.Reason));
    }

    private void Clean(CleanFolderOptions folder, DiskCleanInput input, Tally tally, ActionContext context, CancellationToken cancellation)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path));
        if (new DirectoryInfo(root) is not { Exists: true, LinkTarget: null })
        {
            tally.Reason ??= $"{root} is no folder, or a link";
            return;
        }

        var age = input.OlderThan?.Value ?? DefaultAge;
        var before = dependencies.Time.GetUtcNow() - (age > folder.MinAge.Value ? age : folder.MinAge.Value);
        var files = Files(root).ToList();
        var left = files.Sum(x => x.Size);
        foreach (var file in files.Where(x => x.Written < before && FileSystemName.MatchesSimpleExpression(folder.Pattern, Path.GetFileName(x.Path), ignoreCase: false)).OrderBy(x => x.Written))
        {
            cancellation.ThrowIfCancellationRequested();
            context.StopWhereHeld();
            if (input.Keep is { } keep && left <= keep.Bytes) break;
            try
            {
                if (!ConfinedDelete.Delete(root, file.Path[(root.Length + 1)..].Split('/'), before)) continue;
                tally.Files++;
                tally.Bytes += file.Size;
                left -= file.Size;
            }
            catch (Win32Exception e)
            {
                tally.Failed++;
                tally.Reason ??= $"{file.Path}: {e.Message}";
            }
        }
    }

    /// <summary>
    /// Files that hold something; what is a link is not entered and not listed. Sockets and pipes have no size: somebody may need
    /// them, and deleting them would free nothing.
    /// </summary>
    private static IEnumerable<(string Path, long Size, DateTimeOffset Written)> Files(string root) =>
        new FileSystemEnumerable<(string, long, DateTimeOffset)>(root,
            (ref FileSystemEntry x) => (x.ToFullPath(), x.Length, x.LastWriteTimeUtc),
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint, MaxRecursionDepth = MaxDepth })
        {
            ShouldIncludePredicate = (ref FileSystemEntry x) => !x.IsDirectory && x.Length > 0,
        }.Take(MaxFiles);

    private sealed class Tally
    {
        public int Files { get; set; }
        public long Bytes { get; set; }
        public int Failed { get; set; }
        public string? Reason { get; set; }
    }
}
