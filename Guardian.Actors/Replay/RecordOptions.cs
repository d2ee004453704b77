namespace Guardian.Actors.Replay;

/// <summary><c>Guardian:Record</c>: what the detectors are told, written down for <c>guardian replay</c>.</summary>
public sealed class RecordOptions
{
    /// <summary>True: record into <c>traces</c> in the data directory. It names principals and topics, never payloads.</summary>
    public bool Enabled { get; set; }

    /// <summary>Size of one file, bytes. 64 KiB to 1 GiB.</summary>
    public int MaxBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Files kept, the current one included; the oldest goes. 1 to 100.</summary>
    public int Files { get; set; } = 4;
}
