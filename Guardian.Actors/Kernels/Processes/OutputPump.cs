using System.IO.Pipes;
using Guardian.Actors.Leasekeeping;
using Microsoft.Win32.SafeHandles;

namespace Guardian.Actors.Kernels.Processes;

/// <summary>
/// Takes what a process writes out of a named pipe and into a bounded file. The process holds the pipe open at both ends itself: when
/// Guardian dies it goes on, waits once the pipe is full (64 KiB), and its output is taken up by the next Guardian.
/// </summary>
internal sealed class OutputPump : IAsyncDisposable
{
    private const int Chunk = 64 * 1024; // a pipe holds no more

    private readonly SafePipeHandle _handle;
    private readonly AnonymousPipeClientStream _pipe;
    private readonly OutputFile _file;
    private readonly string _path;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _pumping;
    private long _lost;

    private OutputPump(string pipe, string file, OutputSpec spec)
    {
        _path = pipe;
        _handle = Posix.OpenPipe(pipe);
        _pipe = new AnonymousPipeClientStream(PipeDirection.In, _handle);
        _file = new OutputFile(file, spec);
        _pumping = Task.Run(PumpAsync);
    }

    /// <summary>Bytes that the disk did not take.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Makes the pipe where it is not there, and begins.</summary>
    /// <exception cref="IOException">The pipe cannot be made.</exception>
    public static OutputPump Start(string pipe, string file, OutputSpec spec)
    {
        if (!File.Exists(pipe)) Posix.MakePipe(pipe);
        return new OutputPump(pipe, file, spec);
    }

    /// <summary>Takes the last words of a process that has ended, and removes the pipe.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _pumping.ConfigureAwait(false);
        Drain();
        await _pipe.DisposeAsync().ConfigureAwait(false);
        _file.Dispose();
        _ending.Dispose();
        File.Delete(_path);
    }

    /// <summary>Reads no more and leaves the pipe to whoever comes next.</summary>
    public async Task LetGoAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _pumping.ConfigureAwait(false);
        await _pipe.DisposeAsync().ConfigureAwait(false);
        _file.Dispose();
        _ending.Dispose();
    }

    private async Task PumpAsync()
    {
        var buffer = new byte[Chunk];
        try
        {
            while (true)
            {
                var read = await _pipe.ReadAsync(buffer, _ending.Token).ConfigureAwait(false);
                if (read == 0) return;
                Write(buffer.AsSpan(0, read));
            }
        }
        catch (OperationCanceledException)
        {
            // The process has ended.
        }
    }

    /// <summary>What it had written last is in the pipe already.</summary>
    private void Drain()
    {
        var buffer = new byte[Chunk];
        for (var read = Posix.Read(_handle, buffer); read > 0; read = Posix.Read(_handle, buffer)) Write(buffer.AsSpan(0, read));
    }

    /// <summary>A full disk must not stop the process: what cannot be kept is counted.</summary>
    private void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file.Write(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Interlocked.Add(ref _lost, bytes.Length);
        }
    }
}
