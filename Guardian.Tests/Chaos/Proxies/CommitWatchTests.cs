using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Guardian.Actors.Chaos.Proxies;

namespace Guardian.Tests.Chaos.Proxies;

public sealed class CommitWatchTests
{
    private static readonly byte[] Login = [.. Message('R', 0, 0, 0, 0), .. Message('S', "TimeZone\0UTC\0"u8.ToArray()), .. Message('K', 1, 2, 3, 4, 5, 6, 7, 8), .. Ready('I')];
    private static readonly byte[] Insert = [.. Message('1'), .. Message('2'), .. Done("INSERT 0 1"), .. Ready('I')];
    private static readonly byte[] InsertInTransaction = [.. Done("INSERT 0 1"), .. Ready('T')];
    private static readonly byte[] Commit = [.. Done("COMMIT"), .. Ready('I')];
    private static readonly byte[] Rows = [.. Message('T', 0, 0), .. Message('D', 0, 1, 2, 3), .. Done("SELECT 1"), .. Ready('I')];
    private static readonly byte[] Failed = [.. Message('E', "SERROR\0\0"u8.ToArray()), .. Ready('I')];

    [Fact]
    public void A_write_is_committed_with_its_answer_and_in_a_transaction_with_the_commit()
    {
        Committed(Login, Insert).Should().Equal(false, false, true);
        Committed(InsertInTransaction, Rows[..^Ready('I').Length], Ready('T'), Commit).Should().Equal(false, false, true);
    }

    [Fact]
    public void What_only_reads_or_fails_is_not() => Committed(Login, Rows, Failed, Rows).Should().NotContain(true);

    [Fact]
    public void Nothing_is_lost_or_changed_however_the_bytes_are_cut() =>
        Gen.Select(Gen.Int[0, 4].Select(x => new[] { Insert, InsertInTransaction, Commit, Rows, Failed }[x]).List[0, 20], Gen.Int[1, 40]).Sample((answers, size) =>
        {
            byte[] all = [.. Login, .. answers.SelectMany(x => x)];
            var watch = new CommitWatch();
            var got = all.Chunk(size).SelectMany(x => watch.Take(x)).ToList();
            got.SelectMany(x => x.Bytes).Should().Equal(all);
            got.Count(x => x.Committed).Should().Be(new CommitWatch().Take(all).Count(x => x.Committed));
        });

    [Fact]
    public void Another_protocol_is_an_error() => FluentActions.Invoking(() => new CommitWatch().Take([(byte)'H', 0, 0, 0, 1])).Should().Throw<InvalidDataException>();

    private static List<bool> Committed(params byte[][] answers)
    {
        var watch = new CommitWatch();
        return answers.SelectMany(x => watch.Take(x)).Where(x => x.Bytes.Length > 0).Select(x => x.Committed).ToList();
    }

    private static byte[] Done(string tag) => Message('C', Encoding.ASCII.GetBytes(tag + '\0'));

    private static byte[] Ready(char status) => Message('Z', (byte)status);

    private static byte[] Message(char type, params byte[] body)
    {
        var bytes = new byte[5 + body.Length];
        bytes[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), 4 + body.Length);
        body.CopyTo(bytes, 5);
        return bytes;
    }
}
