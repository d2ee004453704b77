using System.Globalization;

namespace Guardian.Actors.Chaos.Proxies;

/// <summary>Which of some processes has the end of a connection on loopback, from <c>/proc</c>.</summary>
internal static class SocketOwner
{
    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>What stands in <paramref name="processes"/> for the process with this local port; null: none of them.</summary>
    public static int? Of(int port, IEnumerable<KeyValuePair<int, int>> processes)
    {
        var local = ':' + port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (var table in Tables.Where(File.Exists))
        {
            // Columns of proc_net_tcp(5): 1 is the local address, 9 the inode.
            var inode = File.ReadLines(table).Skip(1).Select(x => x.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .FirstOrDefault(x => x[1].EndsWith(local, StringComparison.Ordinal) && x[9] != "0")?[9];
            if (inode is null) continue;
            foreach (var (process, value) in processes)
            {
                if (Holds(process, inode)) return value;
            }
        }

        return null;
    }

    private static bool Holds(int process, string inode)
    {
        try
        {
            return Directory.EnumerateFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/fd")).Any(x => new FileInfo(x).LinkTarget == $"socket:[{inode}]");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended
        }
    }
}
