namespace Guardian.Host.Hosting;

/// <summary>
/// Where a node's configuration comes from, the later wins: <c>appsettings.json</c> beside the executable, the one in the
/// working directory, the environment (<c>Guardian__Http__Url</c>), the command line (<c>--Guardian:Http:Url=</c>).
/// </summary>
internal static class NodeConfiguration
{
    private const string File = "appsettings.json";

    public static void Add(IConfigurationBuilder configuration, IReadOnlyList<string> overrides)
    {
        // The environment may say that files are not to be watched (containers, tests).
        var watch = !string.Equals(Environment.GetEnvironmentVariable("DOTNET_HOSTBUILDER__RELOADCONFIGONCHANGE"), "false", StringComparison.OrdinalIgnoreCase);
        configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, File), optional: true, reloadOnChange: watch);
        var here = Path.GetFullPath(File);
        if (here != Path.Combine(AppContext.BaseDirectory, File)) configuration.AddJsonFile(here, optional: true, reloadOnChange: watch);
        configuration.AddEnvironmentVariables();
        if (overrides.Count > 0) configuration.AddCommandLine([.. overrides]);
    }

    /// <summary>Takes <c>--Guardian:…</c> and <c>--Logging:…</c> out of the arguments; the rest is the command line's.</summary>
    public static (IReadOnlyList<string> Overrides, string[] Arguments) Split(IReadOnlyList<string> args)
    {
        var overrides = new List<string>();
        var rest = new List<string>();
        for (var i = 0; i < args.Count; i++)
        {
            if (!IsOverride(args[i]))
            {
                rest.Add(args[i]);
                continue;
            }

            overrides.Add(args[i]);
            if (!args[i].Contains('=', StringComparison.Ordinal) && i + 1 < args.Count) overrides.Add(args[++i]);
        }

        return (overrides, [.. rest]);
    }

    private static bool IsOverride(string argument) =>
        argument.StartsWith("--Guardian:", StringComparison.OrdinalIgnoreCase) || argument.StartsWith("--Logging:", StringComparison.OrdinalIgnoreCase);
}
