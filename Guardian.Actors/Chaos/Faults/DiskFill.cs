using System.ComponentModel;
using Guardian.Actors.Leasekeeping;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Chaos.Faults;

/// <summary>Old files fill the small disk of the node's data directory up to a percentage.</summary>
internal sealed class DiskFill : ChaosFault<DiskFill.Input>
{
    private const int FileBytes = 256 * 1024;

    internal sealed record Input(
        [property: Description("Of the disk, 50 to 98.")] int Percent,
        [property: Description("The files stay so long, unless somebody deletes them.")] Duration For,
        [property: Description("How old the files look; 2d where not given.")] Duration? Age = null);

    public override string Name => "disk.fill";

    public override string Summary => "The node's disk is nearly full of old files; needs a scenario whose node has its data on a memory disk.";

    public override string UndoText => "the leasekeeper deletes the folder of the files";

    /// <summary>Where the files are, below the data directory.</summary>
    public static string Folder(string dataDirectory) => Path.Combine(dataDirectory, "guardian-scratch");

    public override FaultFacts Facts(Input input) => new() { Length = input.For.Value };

    public override string? Check(Input input, TimeSpan ttl) =>
        input.Percent is < 50 or > 98 ? "'percent' must be 50 to 98"
        : input.For.Value >= ttl ? $"'ttl' ({new Duration(ttl)}) ends the fault before 'for' ({input.For}) is through"
        : null;

    public override string? Unsupported(Input input, FaultContext context) =>
        context.DataDirectory is not { } data ? "the node's data directory is not known here"
        : new DriveInfo(data).TotalSize <= JournalFull.Largest ? null
        : "the data directory is not on a small disk of its own; 'node: { memoryDiskMiB: 64 }' gives it one, which needs root";

    internal override IReadOnlyList<LeaseUndo> Undo(Input input, FaultContext context) => [new DeletePath(Folder(context.DataDirectory!))];

    public override async Task RunAsync(Input input, FaultContext context, CancellationToken withdraw)
    {
        var folder = Folder(context.DataDirectory!);
        var written = context.Time.GetUtcNow().UtcDateTime - (input.Age?.Value ?? TimeSpan.FromDays(2));
        try
        {
            Directory.CreateDirectory(folder);
            var block = new byte[FileBytes];
            for (var i = 0; Used(context.DataDirectory!) < input.Percent; i++)
            {
                var file = Path.Combine(folder, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"old-{i:0000}.tmp"));
                await File.WriteAllBytesAsync(file, block, withdraw).ConfigureAwait(false);
                File.SetLastWriteTimeUtc(file, written);
            }

            await Task.Delay(input.For.Value, context.Time, withdraw).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Percent of the disk in use.</summary>
    internal static double Used(string path)
    {
        var drive = new DriveInfo(path);
        return 100.0 * (drive.TotalSize - drive.TotalFreeSpace) / drive.TotalSize;
    }
}
