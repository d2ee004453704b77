namespace Guardian.Actors.Kernels;

/// <summary>Runs one job in the application's process; an exception is a failed attempt.</summary>
/// <param name="job">The job.</param>
/// <param name="cancellation">Cancelled at the job's time-out and at shutdown.</param>
public delegate Task JobHandler(JobContext job, CancellationToken cancellation);

/// <summary>A job as its handler sees it.</summary>
public sealed class JobContext
{
    private const int MaxOutput = 4 * 1024; // as much as is kept of a command's output

    private readonly System.Text.StringBuilder _output = new();

    internal JobContext(string id, string payload, int attempt) => (Id, Payload, Attempt) = (id, payload, attempt);

    /// <summary>Unique and the same in every attempt: the key under which an effect outside is asked for.</summary>
    public string Id { get; }

    /// <summary>As it was given; any text.</summary>
    public string Payload { get; }

    /// <summary>From 1. More than 1 after a failure, or after the node's death in the middle of the job.</summary>
    public int Attempt { get; }

    /// <summary>Adds to the output; the last 4 KiB are kept with the job.</summary>
    public void Write(string text)
    {
        lock (_output)
        {
            _output.Append(text);
            if (_output.Length > MaxOutput) _output.Remove(0, _output.Length - MaxOutput);
        }
    }

    internal string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }
}
