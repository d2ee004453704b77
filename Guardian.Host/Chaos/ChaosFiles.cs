using Guardian.Actors.Hosting;

namespace Guardian.Host.Chaos;

/// <summary>Finds files as the node does: in the working directory, then beside the executable.</summary>
internal static class ChaosFiles
{
    private static readonly Actors.Hosting.FileOptions Defaults = new();

    public static string Scenarios(string path) => Resolve(path);

    public static string Policy => Resolve(Defaults.Policy);

    public static string Playbooks => Resolve(Defaults.Playbooks);

    private static string Resolve(string path)
    {
        var here = Path.GetFullPath(path);
        if (Path.Exists(here) || Path.IsPathRooted(path)) return here;
        var shipped = Path.Combine(AppContext.BaseDirectory, path);
        return Path.Exists(shipped) ? shipped : here;
    }
}
