using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Guardian.Actors.Resources;

/// <summary>
/// Deletes a file below a folder and nowhere else. The way down is opened step by step without following links, so that
/// nobody can lead it elsewhere by exchanging a folder for a link between the look and the deletion.
/// </summary>
internal static class ConfinedDelete
{
    private const int OpenPath = 0x200000; // O_PATH: neither reads nor writes, only stands for the place
    private const int NoSuchFile = 2;

    // The two flags are numbered by architecture.
    private static (int Directory, int NoFollow)? Flags => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 or Architecture.X86 => (0x10000, 0x20000),
        Architecture.Arm64 or Architecture.Arm => (0x4000, 0x8000),
        _ => null,
    };

    /// <summary>Null where it works here; else why not.</summary>
    public static string? Unsupported => OperatingSystem.IsLinux() && Flags is not null ? null : $"deleting safely is not supported on this platform ({RuntimeInformation.RuntimeIdentifier})";

    /// <summary>False where the file is gone already, was written meanwhile, or became a folder or a link.</summary>
    /// <param name="root">Absolute folder, itself no link.</param>
    /// <param name="path">Segments from there to the file.</param>
    /// <param name="before">Deleted only if it was last written before this; looked at just before.</param>
    /// <exception cref="Win32Exception">Not permitted, or a link is in the way.</exception>
    public static bool Delete(string root, ReadOnlySpan<string> path, DateTimeOffset before)
    {
        var (directory, noFollow) = Flags!.Value;
        var at = open(root, OpenPath | directory | noFollow);
        if (at < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        try
        {
            foreach (var segment in path[..^1])
            {
                var next = openat(at, segment, OpenPath | directory | noFollow);
                var error = Marshal.GetLastPInvokeError();
                _ = close(at);
                at = next;
                if (next < 0) return error == NoSuchFile ? false : throw new Win32Exception(error);
            }

            using (var file = new SafeFileHandle(openat(at, path[^1], OpenPath | noFollow), ownsHandle: true))
            {
                if (file.IsInvalid) return Marshal.GetLastPInvokeError() is var error && error == NoSuchFile ? false : throw new Win32Exception(error);
                if ((File.GetAttributes(file) & (FileAttributes.Directory | FileAttributes.ReparsePoint)) != 0 || File.GetLastWriteTimeUtc(file) >= before.UtcDateTime) return false;
            }

            // Without AT_REMOVEDIR: takes away a name, of a link never its target.
            if (unlinkat(at, path[^1], 0) == 0) return true;
            return Marshal.GetLastPInvokeError() is var failed && failed == NoSuchFile ? false : throw new Win32Exception(failed);
        }
        finally
        {
            if (at >= 0) _ = close(at);
        }
    }

#pragma warning disable SYSLIB1054, CA2101, CA5392 // plain calls into the C library; strings are UTF-8
    [DllImport("libc", SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int openat(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int unlinkat(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc")]
    private static extern int close(int handle);
#pragma warning restore SYSLIB1054, CA2101, CA5392
}
