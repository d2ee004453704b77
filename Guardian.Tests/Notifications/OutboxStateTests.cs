using CsCheck;
using Guardian.Actors.Notifications;
using static Guardian.Tests.Notifications.Items;

namespace Guardian.Tests.Notifications;

public sealed class OutboxStateTests
{
    private static DeliveryAccepted Accepted(string key, int second = 0) => new() { At = At.AddSeconds(second), Item = Item(key) };

    private static DeliveryDone Done(string key, DateTimeOffset? at = null) => new() { At = at ?? At, Key = key, Attempts = 1 };

    [Fact]
    public void Items_wait_in_the_order_they_came()
    {
        var state = new OutboxState("security");
        foreach (var key in new[] { "c", "a", "b" }) state.Apply(Accepted(key));
        state.Head!.Item.Key.Should().Be("c");
        state.Apply(Done("c"));
        state.Head!.Item.Key.Should().Be("a");
    }

    [Fact]
    public void A_snapshot_is_the_state_at_any_point_of_any_history()
    {
        var gen = Gen.Select(Gen.Int[0, 6], Gen.Int[0, 15]).List[0, 60];
        gen.Sample(history =>
        {
            var (straight, restored) = (new OutboxState("security"), new OutboxState("security"));
            foreach (var ((kind, n), step) in history.Select((x, i) => (x, i)))
            {
                OutboxEvent e = kind switch
                {
                    0 => Accepted("k" + n),
                    1 => Done("k" + n, At.AddSeconds(step)),
                    2 => new DeliveryCollected { At = At.AddSeconds(step), Key = "k" + n },
                    3 => new DeliveryMuted { At = At, Key = "k" + n, Reason = "silence" },
                    4 => new DeliveryAccepted { At = At.AddSeconds(step), Item = Item("digest" + step) with { Kind = ItemKind.Digest } },
                    5 => new DeliveryAccepted { At = At, Item = Item("task" + n, "tasks", "item" + n) },
                    _ => new DeliveryDead { At = At, Key = "k" + n, Attempts = 1, Reason = "x" },
                };
                straight.Apply(e);
                restored.Apply(e);
                restored = OutboxState.From("security", restored.ToSnapshot());
            }

            restored.ToSnapshot().Should().BeEquivalentTo(straight.ToSnapshot(), x => x.WithStrictOrdering());
            straight.Pending.Should().Be(straight.ToSnapshot().Pending.Count);
        }, iter: 300);
    }

    [Fact]
    public void Ended_keys_are_remembered_up_to_a_bound_and_an_age()
    {
        var state = new OutboxState("security");
        for (var i = 0; i < OutboxState.MaxEnded + 5; i++)
        {
            state.Apply(Accepted("k" + i));
            state.Apply(Done("k" + i));
        }

        state.Remembered.Should().Be(OutboxState.MaxEnded);
        state.Knows("k4").Should().BeFalse();
        state.Knows("k5").Should().BeTrue();
        state.Delivered.Should().Be(OutboxState.MaxEnded + 5);

        state.Apply(Accepted("late"));
        state.Apply(Done("late", At + OutboxState.EndedAge + TimeSpan.FromTicks(1)));
        state.Remembered.Should().Be(1);
    }

    [Fact]
    public void An_end_that_is_told_twice_counts_once()
    {
        var state = new OutboxState("security");
        state.Apply(Accepted("a"));
        state.Apply(Done("a"));
        state.Apply(Done("a"));
        state.Apply(Done("never accepted"));
        state.Delivered.Should().Be(1);
    }
}
