using System.Globalization;
using System.Text.Json;
using Guardian.Actors.Replay;

namespace Guardian.Host.Cli;

/// <summary>The lines of a recorded trace.</summary>
internal static class TraceLines
{
    /// <summary>Each line, or its place and why it is none.</summary>
    /// <exception cref="CliException">There is no such file.</exception>
    public static IEnumerable<(TraceLine? Line, string? Error)> Read(string file)
    {
        if (!File.Exists(file)) throw new CliException(ExitCodes.Usage, $"{file} does not exist; a node records with Guardian:Record:Enabled=true into traces/ in its data directory");
        var number = 0;
        foreach (var text in File.ReadLines(file))
        {
            number++;
            if (text.Length == 0) continue;
            (TraceLine?, string?) result;
            try
            {
                result = (TraceLine.Parse(text), null);
            }
            catch (Exception e) when (e is JsonException or NotSupportedException)
            {
                result = (null, string.Create(CultureInfo.InvariantCulture, $"{file}:{number}: no line of a trace: {e.Message}"));
            }

            yield return result;
        }
    }
}
