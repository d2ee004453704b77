using System.Reflection;

namespace Guardian.Actors.Hosting;

/// <summary>How to start the executable <c>guardian</c>: for a leasekeeper, for a throw-away node.</summary>
internal sealed record GuardianProgram(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>The running executable; where that is <c>dotnet</c>, with the assembly's file. Null where the path is not known.</summary>
    public static GuardianProgram? Running(Assembly assembly)
    {
        if (Environment.ProcessPath is not { } path) return null;
        var isDotnet = Path.GetFileNameWithoutExtension(path).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        return new GuardianProgram(path, isDotnet ? [assembly.Location] : []);
    }
}
