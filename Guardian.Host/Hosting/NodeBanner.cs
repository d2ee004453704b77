using Guardian.Actors.Hosting;
using Guardian.Host.Http;
using Guardian.Playbooks.Model;

namespace Guardian.Host.Hosting;

/// <summary>The first lines: what it does by itself, where its data and its page are, and what to try.</summary>
internal static class NodeBanner
{
    public static string Text(GuardianOptions options, string dataDirectory)
    {
        var a = options.Autonomy;
        return $"""
            Guardian {StatusRoutes.Version}
              acts by itself   contain {Of(options, a.Contain)} (ban, limit, throttle), disrupt {Of(options, a.Disrupt)} (restart, stop), destroy {Of(options, a.Destroy)} (kill, delete)
              data             {dataDirectory}
              dashboard        {options.Http.Url}
              try              guardian demo flood    a flood of forbidden messages, to see it heal
                               guardian events        what happens, as it happens
                               guardian hold          stop all acting; guardian resume goes on
            """;
    }

    private static string Of(GuardianOptions options, OperatingMode autonomy) =>
        StatusRoutes.Text((OperatingMode)Math.Min((int)options.Mode, (int)autonomy));
}
