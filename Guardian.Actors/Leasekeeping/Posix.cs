using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Guardian.Actors.Leasekeeping;

/// <summary>The calls of Linux that .NET does not offer. Errors are <see cref="Win32Exception"/> with errno's text.</summary>
internal static partial class Posix
{
    public const int SIGKILL = 9;
    public const int SIGUSR1 = 10;
    public const int SIGTERM = 15;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;

    private const int ENOENT = 2;
    private const int ESRCH = 3;
    private const int EINVAL = 22;
    private const int PidfdSendSignal = 424; // the same number on every architecture, as all since 424
    private const int PidfdOpen = 434;
    private const int DetachLazily = 2;
    private const nuint GetFlags = 0x80086601; // FS_IOC_GETFLAGS
    private const nuint SetFlags = 0x40086602; // FS_IOC_SETFLAGS
    private const int Immutable = 0x10; // FS_IMMUTABLE_FL

    /// <summary>Null on Linux; else why leases on the operating system cannot be kept here.</summary>
    public static string? Unsupported => OperatingSystem.IsLinux() ? null : $"effects on the operating system are not supported on this platform ({RuntimeInformation.OSDescription})";

    public static bool IsRoot => geteuid() == 0;

    /// <summary>Leaves the session of whoever started this process: signals to its group or terminal do not come here any more.</summary>
    public static void LeaveSession() => _ = setsid(); // fails only where this process leads a session already

    /// <summary>Sends to this very process, never to a later one under its pid. False where it is gone.</summary>
    /// <exception cref="Win32Exception">Not permitted.</exception>
    public static bool Signal(ProcessIdentity process, int signal)
    {
        var handle = (int)syscall(PidfdOpen, process.Pid, 0, 0, 0);
        if (handle < 0) return Gone(Marshal.GetLastPInvokeError());
        try
        {
            if (!process.Alive) return false; // checked with the handle open: from here on the pid cannot change its owner
            return syscall(PidfdSendSignal, handle, signal, 0, 0) == 0 || Gone(Marshal.GetLastPInvokeError());
        }
        finally
        {
            _ = close(handle);
        }
    }

    /// <summary>All threads of the process; threads that end meanwhile are passed over.</summary>
    public static void Renice(ProcessIdentity process, int nice)
    {
        if (!process.Alive) return;
        foreach (var task in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}/task")))
        {
            if (setpriority(0, int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture), nice) != 0) Gone(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Lazily: also where files are open in it. What is no mount is done already.</summary>
    public static void Unmount(string path)
    {
        if (umount2(path, DetachLazily) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error is not (EINVAL or ENOENT)) throw new Win32Exception(error);
    }

    /// <summary>A memory disk on a folder. Needs root.</summary>
    public static void MountMemory(string path, long bytes)
    {
        if (mount("tmpfs", path, "tmpfs", 0, string.Create(CultureInfo.InvariantCulture, $"size={bytes},mode=700")) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    /// <summary>An immutable file takes no writes, also from those who have it open. Needs root and a file system that knows the flag.</summary>
    public static void SetImmutable(string path, bool immutable)
    {
        var handle = open(path, 0);
        if (handle < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        try
        {
            long flags = 0;
            if (ioctl(handle, GetFlags, ref flags) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
            flags = immutable ? flags | Immutable : flags & ~Immutable;
            if (ioctl(handle, SetFlags, ref flags) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
        finally
        {
            _ = close(handle);
        }
    }

    /// <summary>Brings the names in a folder to the disk.</summary>
    public static void SyncFolder(string path)
    {
        var handle = open(path, 0);
        if (handle < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        try
        {
            if (fsync(handle) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
        finally
        {
            _ = close(handle);
        }
    }

    private static bool Gone(int error) => error == ESRCH ? false : throw new Win32Exception(error);

#pragma warning disable SYSLIB1054, CA2101, CA5392 // plain calls into the C library; strings are UTF-8
    [DllImport("libc", SetLastError = true)]
    private static extern int setsid();

    [DllImport("libc")]
    private static extern uint geteuid();

    [DllImport("libc", SetLastError = true)]
    private static extern nint syscall(nint number, nint a, nint b, nint c, nint d);

    [DllImport("libc", SetLastError = true)]
    private static extern int setpriority(int which, int who, int nice);

    [DllImport("libc", SetLastError = true)]
    private static extern int umount2([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int mount([MarshalAs(UnmanagedType.LPUTF8Str)] string source, [MarshalAs(UnmanagedType.LPUTF8Str)] string target, [MarshalAs(UnmanagedType.LPUTF8Str)] string type, nuint flags, [MarshalAs(UnmanagedType.LPUTF8Str)] string data);

    [DllImport("libc", SetLastError = true)]
    private static extern int ioctl(int handle, nuint request, ref long flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int fsync(int handle);

    [DllImport("libc", SetLastError = true)]
    private static extern int close(int handle);
#pragma warning restore SYSLIB1054, CA2101, CA5392
}
