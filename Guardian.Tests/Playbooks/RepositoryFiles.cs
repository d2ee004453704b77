namespace Guardian.Tests.Playbooks;

/// <summary>Finds the repository's files from wherever the tests run.</summary>
internal static class RepositoryFiles
{
    public static string Folder(string name)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Guardian.sln"))) return Path.Combine(at.FullName, name);
        }

        throw new DirectoryNotFoundException("Guardian.sln is in none of the folders above the tests");
    }
}
