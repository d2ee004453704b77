namespace Guardian.Actors.Hosting;

/// <summary>Where configured files are: relative ones in the working directory, else beside the executable.</summary>
internal static class ShippedFiles
{
    public static string File(string path) => Find(path, System.IO.File.Exists);

    public static string Folder(string path) => Find(path, Directory.Exists);

    private static string Find(string path, Func<string, bool> exists)
    {
        var here = Path.GetFullPath(path);
        var shipped = Path.Combine(AppContext.BaseDirectory, path);
        return exists(here) || !exists(shipped) ? here : shipped;
    }
}
