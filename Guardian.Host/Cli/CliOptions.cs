using System.CommandLine;
using Guardian.Actors.Hosting;
using Guardian.Host.Hosting;
using Guardian.Host.Http.Security;

namespace Guardian.Host.Cli;

/// <summary>Options that every command shares, and what is configured here.</summary>
internal sealed class CliOptions(IReadOnlyList<string> overrides)
{
    private GuardianOptions? _configured;

    public IReadOnlyList<string> Overrides => overrides;

    public Option<string?> Url { get; } = new("--url") { Description = "A running node, by default Guardian:Http:Url as configured here", Recursive = true, HelpName = "url" };

    public Option<string?> Key { get; } = new("--key") { Description = "API key, by default GUARDIAN_KEY or admin.key in the data directory", Recursive = true, HelpName = "key" };

    public Option<bool> Json { get; } = new("--json") { Description = "JSON and nothing else", Recursive = true };

    /// <summary>The configuration as the node here would read it.</summary>
    public GuardianOptions Configured
    {
        get
        {
            if (_configured is not null) return _configured;
            var configuration = new ConfigurationManager();
            NodeConfiguration.Add(configuration, overrides);
            var (options, errors, _) = OptionsBinder.Bind(configuration);
            return errors.Count == 0 ? _configured = options : throw new CliException(ExitCodes.Usage, string.Join(Environment.NewLine, errors));
        }
    }

    public NodeClient Client(ParseResult parsed)
    {
        var text = parsed.GetValue(Url) ?? Configured.Http.Url;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw new CliException(ExitCodes.Usage, $"--url: '{text}' is not an address; use e.g. http://127.0.0.1:8558");
        return new NodeClient(url, KeyFor(parsed, url));
    }

    public CliOutput Output(ParseResult parsed) => new(parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, parsed.GetValue(Json));

    /// <summary>The admin key never leaves this machine.</summary>
    private string? KeyFor(ParseResult parsed, Uri url)
    {
        if (parsed.GetValue(Key) is { } given) return given;
        if (Environment.GetEnvironmentVariable("GUARDIAN_KEY") is { Length: > 0 } fromEnvironment) return fromEnvironment;
        if (!url.IsLoopback) return null;
        try
        {
            return AdminKeyFile.TryRead(AdminKeyFile.PathIn(Path.GetFullPath(Configured.Node.DataDirectory)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // reads are open; a change will say which key it needs
        }
    }
}
