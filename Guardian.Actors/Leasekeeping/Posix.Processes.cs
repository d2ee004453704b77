using System.Runtime.InteropServices;
using System.Text;

namespace Guardian.Actors.Leasekeeping;

/// <summary>
/// Children: a session of their own, signals to a whole group, named pipes. posix_spawn rather than fork: it is safe in a process with many threads and
/// reports a missing program at once.
/// </summary>
internal static partial class Posix
{
    private const int Interrupted = 4; // EINTR
    private const int NoHang = 1;
    private const int Exited = 4;
    private const int NoWait = 0x01000000;
    private const int ByPid = 1;
    private const int ReadWrite = 2;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const short SetSignalMask = 0x08;
    private const short SetSignalDefaults = 0x04;
    private const short SetSession = 0x80;

    // Opaque structures of the C library: 336 and 80 bytes with glibc, 128 for a set of signals; smaller elsewhere.
    private const int Opaque = 1024;

    /// <summary>Starts a program as the leader of a session and group of its own, without any signal blocked or ignored.</summary>
    /// <param name="command">Program, looked for in PATH, and arguments.</param>
    /// <param name="environment">All of it.</param>
    /// <param name="directory">Working directory; null: this process's own.</param>
    /// <param name="input">File that becomes its standard input.</param>
    /// <param name="output">File or named pipe for its standard output.</param>
    /// <param name="error">File or named pipe for its standard error.</param>
    /// <returns>The pid, and 0 or why there is none (errno).</returns>
    public static unsafe (int Pid, int Error) Spawn(IReadOnlyList<string> command, IEnumerable<string> environment, string? directory, string input, string output, string error)
    {
        using var memory = new Arena();
        var (actions, attributes, signals) = (memory.Block(Opaque), memory.Block(Opaque), memory.Block(Opaque));
        Check(posix_spawn_file_actions_init(actions));
        Check(posix_spawnattr_init(attributes));
        try
        {
            Check(posix_spawn_file_actions_addopen(actions, 0, memory.Text(input), 0, 0));
            Check(posix_spawn_file_actions_addopen(actions, 1, memory.Text(output), ReadWrite, 0));
            Check(posix_spawn_file_actions_addopen(actions, 2, memory.Text(error), ReadWrite, 0));
            if (directory is not null) Check(posix_spawn_file_actions_addchdir_np(actions, memory.Text(directory)));
            Check(sigemptyset(signals));
            Check(posix_spawnattr_setsigmask(attributes, signals));
            Check(sigfillset(signals));
            Check(posix_spawnattr_setsigdefault(attributes, signals)); // .NET ignores SIGPIPE; a child must not inherit that
            Check(posix_spawnattr_setflags(attributes, SetSignalMask | SetSignalDefaults | SetSession));
            int pid;
            var failure = posix_spawnp(&pid, memory.Text(command[0]), actions, attributes, memory.Texts(command), memory.Texts(environment));
            return failure == 0 ? (pid, 0) : (0, failure);
        }
        finally
        {
            _ = posix_spawnattr_destroy(attributes);
            _ = posix_spawn_file_actions_destroy(actions);
        }
    }

    /// <summary>What an errno means, in words.</summary>
    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);

    /// <summary>Sends a signal to a process, or with a negative pid to a group; 0 looks whether it is there. False where it is not.</summary>
    public static bool Signal(int pid, int signal) => kill(pid, signal) == 0 || Marshal.GetLastPInvokeError() != ESRCH;

    /// <summary>True when the child has ended and waits to be reaped, or is no child at all.</summary>
    public static unsafe bool HasEnded(int pid)
    {
        var info = stackalloc byte[128];
        new Span<byte>(info, 128).Clear();
        var result = waitid(ByPid, pid, info, Exited | NoHang | NoWait);
        return result != 0 ? Marshal.GetLastPInvokeError() != Interrupted : *(int*)(info + 16) != 0;
    }

    /// <summary>Takes the ended child's status: exit code, or the signal that ended it. Null where it has not ended or is no child.</summary>
    public static unsafe ExitStatus? Reap(int pid)
    {
        int status;
        if (waitpid(pid, &status, NoHang) != pid) return null;
        var signal = status & 0x7f;
        return signal == 0 ? new ExitStatus((status >> 8) & 0xff, 0) : new ExitStatus(128 + signal, signal);
    }

    /// <summary>Creates a named pipe that only this user may open.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    public static void MakePipe(string path)
    {
        using var memory = new Arena();
        if (mkfifo(memory.Text(path), 0x180) != 0) throw new IOException($"{path}: {Describe(Marshal.GetLastPInvokeError())}");
    }

    /// <summary>Opens a named pipe for reading without waiting for a writer.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static Microsoft.Win32.SafeHandles.SafePipeHandle OpenPipe(string path)
    {
        using var memory = new Arena();
        var descriptor = open(memory.Text(path), ReadWrite | NonBlocking | CloseOnExec);
        return descriptor >= 0 ? new(descriptor, ownsHandle: true) : throw new IOException($"{path}: {Describe(Marshal.GetLastPInvokeError())}");
    }

    /// <summary>Reads what is in a pipe without waiting; 0 or less where there is nothing.</summary>
    public static unsafe int Read(Microsoft.Win32.SafeHandles.SafePipeHandle pipe, Span<byte> buffer)
    {
        fixed (byte* start = buffer) return (int)read(pipe, start, buffer.Length);
    }

    private static void Check(int result)
    {
        if (result != 0) throw new IOException($"a child process cannot be prepared: {Describe(result)}");
    }

    [DllImport("libc", ExactSpelling = true)]
    private static extern unsafe int posix_spawnp(int* pid, nint file, nint actions, nint attributes, nint arguments, nint environment);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawn_file_actions_init(nint actions);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawn_file_actions_destroy(nint actions);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawn_file_actions_addopen(nint actions, int descriptor, nint path, int flags, uint mode);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawn_file_actions_addchdir_np(nint actions, nint path);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawnattr_init(nint attributes);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawnattr_destroy(nint attributes);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawnattr_setflags(nint attributes, short flags);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawnattr_setsigmask(nint attributes, nint signals);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int posix_spawnattr_setsigdefault(nint attributes, nint signals);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int sigemptyset(nint signals);

    [DllImport("libc", ExactSpelling = true)]
    private static extern int sigfillset(nint signals);

    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    private static extern int kill(int pid, int signal);

    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    private static extern unsafe int waitid(int kind, int id, byte* info, int options);

    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    private static extern unsafe int waitpid(int pid, int* status, int options);

    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    private static extern int mkfifo(nint path, uint mode);

    [DllImport("libc", ExactSpelling = true, SetLastError = true)]
    private static extern int open(nint path, int flags);

    [DllImport("libc", ExactSpelling = true)]
    private static extern unsafe nint read(Microsoft.Win32.SafeHandles.SafePipeHandle descriptor, byte* buffer, nint count);

    /// <summary>Memory that a call needs, given back at its end.</summary>
    private sealed unsafe class Arena : IDisposable
    {
        private readonly List<nint> _blocks = [];

        public nint Block(int bytes)
        {
            var block = (nint)NativeMemory.AllocZeroed((nuint)bytes);
            _blocks.Add(block);
            return block;
        }

        public nint Text(string text)
        {
            var block = Block(Encoding.UTF8.GetByteCount(text) + 1);
            Encoding.UTF8.GetBytes(text, new Span<byte>((void*)block, Encoding.UTF8.GetByteCount(text)));
            return block;
        }

        public nint Texts(IEnumerable<string> texts)
        {
            var list = texts.ToList();
            var block = Block((list.Count + 1) * sizeof(nint));
            for (var i = 0; i < list.Count; i++) ((nint*)block)[i] = Text(list[i]);
            return block;
        }

        public void Dispose()
        {
            foreach (var block in _blocks) NativeMemory.Free((void*)block);
        }
    }
}

/// <summary>How a process ended; <paramref name="Code"/> is 128 + signal where a signal ended it.</summary>
internal readonly record struct ExitStatus(int Code, int Signal)
{
    public override string ToString() => Signal == 0 ? $"exit code {Code}" : $"signal {Signal}";
}
