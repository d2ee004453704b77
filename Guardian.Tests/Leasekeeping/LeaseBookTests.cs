using CsCheck;
using Guardian.Actors.Leasekeeping;

namespace Guardian.Tests.Leasekeeping;

public sealed class LeaseBookTests
{
    private static OsLease Lease(string id) => new() { Id = id, Owner = "run-1", Reason = "test", For = TimeSpan.FromSeconds(1), Undo = [new DeletePath("/tmp/guardian-x")] };

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public void A_lease_is_due_at_its_deadline_and_once()
    {
        var book = new LeaseBook();
        book.Take(Lease("a"), At(5)).Should().BeNull();
        book.Next().Should().Be(At(5));
        book.Due(At(4.9)).Should().BeEmpty();
        book.Due(At(5)).Should().ContainSingle().Which.Cause.Should().Be(UndoCause.Deadline);
        book.Due(At(6)).Should().BeEmpty("it is under way");
        book.Undone("a");
        book.Leases.Should().BeEmpty();
    }

    [Fact]
    public void A_renewed_lease_ends_later_and_one_that_is_being_undone_is_not_renewed()
    {
        var book = new LeaseBook();
        book.Take(Lease("a"), At(5));
        book.Renew("a", At(5), DateTimeOffset.UnixEpoch, At(10))!.For.Should().Be(At(5));
        book.Due(At(9)).Should().BeEmpty();
        book.Due(At(10)).Should().ContainSingle();
        book.Renew("a", At(5), DateTimeOffset.UnixEpoch, At(20)).Should().BeNull();
        book.Take(Lease("a"), At(20)).Should().Contain("being undone");
    }

    [Fact]
    public void What_failed_is_due_again_after_pauses_that_double_up_to_five_seconds()
    {
        var book = new LeaseBook();
        book.Take(Lease("a"), At(0));
        var now = TimeSpan.Zero;
        var pauses = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            book.Due(now).Should().ContainSingle();
            book.Failed("a", now).Should().Be(i + 1);
            pauses.Add((book.Next()!.Value - now).TotalSeconds);
            now = book.Next()!.Value;
        }

        pauses.Should().Equal(0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5);
    }

    [Fact]
    public void When_the_node_is_gone_everything_is_due_and_nothing_is_taken()
    {
        var book = new LeaseBook();
        book.Take(Lease("a"), At(100));
        book.Take(Lease("b"), At(0));
        book.Due(At(0)).Should().ContainSingle();
        book.Failed("b", At(0));
        book.NodeGone();
        book.Due(At(0.01)).Select(x => (x.Lease.Id, x.Cause)).Should().BeEquivalentTo([("a", UndoCause.NodeGone), ("b", UndoCause.Deadline)]);
        book.Take(Lease("c"), At(100)).Should().Be("the node is gone");
    }

    [Fact]
    public void Beyond_the_bound_leases_are_refused()
    {
        var book = new LeaseBook();
        for (var i = 0; i < LeaseBook.MaxLeases; i++) book.Take(Lease($"l{i}"), At(1)).Should().BeNull();
        book.Take(Lease("one more"), At(1)).Should().Contain("held already");
        book.Take(Lease("l7"), At(1)).Should().BeNull("it replaces the one it had");
    }

    /// <summary>Whatever happens in whatever order: no lease is forgotten, none is under way twice, none is undone before its time.</summary>
    [Fact]
    public void No_lease_is_lost_doubled_or_undone_early() => Gen.Select(Gen.Int[0, 6], Gen.Int[0, 4], Gen.Int[0, 20]).List[0, 60].Sample(steps =>
    {
        var book = new LeaseBook();
        var held = new Dictionary<string, (TimeSpan Deadline, bool Released)>();
        var underWay = new HashSet<string>();
        var now = TimeSpan.Zero;
        foreach (var (what, which, length) in steps)
        {
            var id = $"l{which}";
            switch (what)
            {
                case 0 or 1 when book.Take(Lease(id), now + At(length)) is null:
                    underWay.Contains(id).Should().BeFalse();
                    held[id] = (now + At(length), false);
                    break;
                case 2 when book.Renew(id, At(length), default, now + At(length)) is not null:
                    held[id] = (now + At(length), false);
                    break;
                case 3 when book.Release(id):
                    held[id] = held[id] with { Released = true };
                    break;
                case 4:
                    now += At(length);
                    foreach (var (lease, cause) in book.Due(now))
                    {
                        underWay.Add(lease.Id).Should().BeTrue();
                        if (cause == UndoCause.Deadline) (held[lease.Id].Deadline <= now).Should().BeTrue();
                        else held[lease.Id].Released.Should().BeTrue();
                    }

                    held.Where(x => x.Value.Deadline <= now && !underWay.Contains(x.Key)).Where(_ => book.Next() <= now).Should().BeEmpty();
                    break;
                case 5 when underWay.Remove(id):
                    book.Undone(id);
                    held.Remove(id);
                    break;
                case 6 when underWay.Remove(id):
                    book.Failed(id, now);
                    break;
            }

            book.Leases.Select(x => x.Id).Should().BeEquivalentTo(held.Keys);
        }
    });
}
