namespace Guardian.Host.Cli;

/// <summary>A relative path is looked up in the working directory, then beside the executable, where the shipped files are.</summary>
internal static class ShippedFiles
{
    public static string Find(string path)
    {
        var here = Path.GetFullPath(path);
        if (Path.IsPathRooted(path) || File.Exists(here) || Directory.Exists(here)) return here;
        var shipped = Path.Combine(AppContext.BaseDirectory, path);
        return File.Exists(shipped) || Directory.Exists(shipped) ? shipped : here;
    }
}
