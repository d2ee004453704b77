using System.Buffers.Binary;
using System.Text;

namespace Guardian.Actors.Chaos.Proxies;

/// <summary>
/// Cuts what a PostgreSQL server answers into messages and tells when a write has been committed, so that exactly that answer can be lost.
/// Format: https://www.postgresql.org/docs/current/protocol-message-formats.html. Pure; one per connection, without encryption.
/// </summary>
internal sealed class CommitWatch
{
    private const int HeaderBytes = 5; // type, length
    private static readonly string[] Writes = ["INSERT", "UPDATE", "DELETE", "COPY", "MERGE"];

    private readonly List<byte> _rest = [];   // an incomplete message
    private readonly List<byte> _answer = []; // messages of the answer under way
    private bool _wrote;
    private bool _committed;

    /// <summary>Takes bytes of the server and gives whole answers: up to the server's "ready for the next query".</summary>
    public IReadOnlyList<(byte[] Bytes, bool Committed)> Take(ReadOnlySpan<byte> bytes)
    {
        var answers = new List<(byte[], bool)>();
        _rest.AddRange(bytes);
        var data = _rest.ToArray().AsSpan();
        var at = 0;
        while (data.Length - at >= HeaderBytes)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(data[(at + 1)..]) + 1;
            if (length < HeaderBytes) throw new InvalidDataException("this is not PostgreSQL's protocol, or it is encrypted");
            if (data.Length - at < length) break;
            var message = data.Slice(at, length);
            at += length;
            _answer.AddRange(message);
            if (message[0] == 'C') Completed(Encoding.ASCII.GetString(message[HeaderBytes..].TrimEnd((byte)0)));
            if (message[0] == 'Z') Ready(message[HeaderBytes], answers);
            // A login asks and waits in between: nothing of it is held back.
            else if (message[0] is (byte)'R' or (byte)'E' or (byte)'G' or (byte)'H' or (byte)'A') Flush(answers, false);
        }

        _rest.RemoveRange(0, at);
        return answers;
    }

    private void Completed(string tag)
    {
        if (tag == "COMMIT") _committed = true;
        else if (Writes.Any(x => tag.StartsWith(x, StringComparison.Ordinal))) _wrote = true;
    }

    private void Ready(byte status, List<(byte[], bool)> answers)
    {
        // Without a transaction of its own a write is committed with its answer; COMMIT alone, after reads, loses nothing.
        var idle = status == 'I';
        Flush(answers, idle && (_wrote || _committed));
        if (idle) (_wrote, _committed) = (false, false);
    }

    private void Flush(List<(byte[], bool)> answers, bool committed)
    {
        answers.Add(([.. _answer], committed));
        _answer.Clear();
    }
}
