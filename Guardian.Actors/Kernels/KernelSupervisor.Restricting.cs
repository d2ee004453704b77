using Akka.Actor;
using Akka.Event;
using Guardian.Playbooks.Model;

namespace Guardian.Actors.Kernels;

/// <summary>Brings about what the leases say, and takes back what does not come about.</summary>
internal sealed partial class KernelSupervisor
{
    /// <summary>A restriction, or its end, that did not come about is brought about again after this: the leasekeeper may need a moment.</summary>
    private static readonly TimeSpan RestrictAgainAfter = TimeSpan.FromSeconds(5);

    /// <summary>A kernel that asks its replicas for so long has a moment more to answer itself.</summary>
    private static readonly TimeSpan KernelAnswersWithin = KernelActor.RestrictWithin + TimeSpan.FromSeconds(1);

    private void OnRestrict(RestrictKernels restrict)
    {
        if (restrict.Which.Names.FirstOrDefault(x => !_memory.Running.ContainsKey(x)) is { } unknown)
        {
            Sender.Tell(NoSuchKernel(unknown));
            return;
        }

        var fitting = _memory.Running.Values.Where(restrict.Which.Fits).ToList();
        var refusal = _world.Leasekeeper.Unsupported;
        var able = fitting.Where(x => x.Type != KernelType.Process || refusal is null).ToList();
        var asker = Sender;
        if (able.Count == 0 && fitting.Count > 0)
        {
            asker.Tell(new KernelAnswer { Done = false, Reason = $"not supported on this node: {refusal}" });
            return;
        }

        // Refused before anything is touched: what is in force stays as it is.
        var tooLong = restrict.Until - _world.Time.GetUtcNow() > _world.Leasekeeper.Longest ? able.Where(x => x.Type == KernelType.Process).Select(x => x.Name).ToList() : [];
        var changes = able.Select(x => x.Name).Except(tooLong).ToDictionary(x => x, x => _memory.Leases.Set(x, restrict));
        var refused = tooLong.Select(x => new KernelRestricted(x, $"processes are restricted for {new Duration(_world.Leasekeeper.Longest)} at most (Guardian:Leasekeeper:Longest)"));
        Task.WhenAll(Apply(changes.Keys)).PipeTo(Self, success: x => new Applied(restrict, changes, [.. x, .. refused], asker));
    }

    /// <summary>Where the effect did not come about, what was in force before comes back.</summary>
    private void OnApplied(Applied applied)
    {
        var failed = applied.Kernels.Where(x => x.Failure is not null).ToList();
        Reapply([.. failed.Select(x => x.Kernel).Where(x => applied.Changes.TryGetValue(x, out var change) && _memory.Leases.TakeBack(change))]);
        var done = applied.Kernels.Where(x => x.Failure is null).Select(x => x.Kernel).ToList();
        applied.Asker.Tell(new KernelAnswer { Done = done.Count > 0 || failed.Count == 0, Kernels = done, Spared = Spared(applied.Asked.Which), Reason = failed.Count > 0 ? string.Join("; ", failed.Select(x => $"{x.Kernel}: {x.Failure}")) : null });
    }

    private List<string> Spared(KernelSelector which) => [.. _memory.Running.Values.Where(which.Spares).Select(x => x.Name).Order(StringComparer.Ordinal)];

    /// <summary>Answered once its effect is undone, or could not be.</summary>
    private void Lift(IReadOnlyList<string> kernels)
    {
        var asker = Sender;
        if (kernels.Count == 0) asker.Tell(new KernelAnswer { Done = false, NotFound = true, Reason = "no such restriction is in force" });
        else Task.WhenAll(Apply(kernels)).PipeTo(Self, success: x => new Lifted(kernels, x, asker));
    }

    private void OnLifted(Lifted lifted)
    {
        var failed = lifted.Kernels.Where(x => x.Failure is not null).ToList();
        TryAgain(lifted.Kernels);
        lifted.Asker.Tell(new KernelAnswer
        {
            Done = failed.Count == 0, Kernels = lifted.Names,
            Reason = failed.Count == 0 ? null : $"it is lifted and not undone yet, which is tried again: {string.Join("; ", failed.Select(x => $"{x.Kernel}: {x.Failure}"))}",
        });
    }

    /// <summary>Brings about what holds now, again and again until it does.</summary>
    private void Reapply(IReadOnlyList<string> kernels) => Task.WhenAll(Apply(kernels)).PipeTo(Self, success: x => new Reapplied(x));

    private void TryAgain(IReadOnlyList<KernelRestricted> kernels)
    {
        foreach (var kernel in kernels.Where(x => x.Failure is not null && _actors.ContainsKey(x.Kernel)))
        {
            _log.Warning("Kernel {0} is not restricted as it should be, which is tried again in {1}: {2}", kernel.Kernel, RestrictAgainAfter, kernel.Failure);
            Timers.StartSingleTimer("restrict/" + kernel.Kernel, new RestrictAgain(kernel.Kernel), RestrictAgainAfter);
        }
    }

    private static async Task<KernelRestricted> AskAsync(IActorRef kernel, string name, Restriction what)
    {
        try
        {
            return await kernel.Ask<KernelRestricted>(new RestrictKernel(what), KernelAnswersWithin).ConfigureAwait(false);
        }
        catch (AskTimeoutException)
        {
            return new KernelRestricted(name, $"it did not answer within {KernelAnswersWithin}");
        }
    }

    private List<Task<KernelRestricted>> Apply(IEnumerable<string> kernels)
    {
        var applying = new List<Task<KernelRestricted>>();
        foreach (var name in kernels)
        {
            var what = _memory.Leases.On(name);
            _log.Info("Kernel {0}: {1}", name, what.Percent switch { 0 => "paused", 100 => "unrestricted", _ => $"throttled to {what.Percent} %" });
            if (_actors.TryGetValue(name, out var actor)) applying.Add(AskAsync(actor, name, what));
        }

        if (_memory.Leases.NextLapse() is { } next) Timers.StartSingleTimer("lapse", Lapse.Instance, next + TimeSpan.FromMilliseconds(1));
        else Timers.Cancel("lapse");
        return applying;
    }

    private sealed record Applied(RestrictKernels Asked, IReadOnlyDictionary<string, KernelLeases.LeaseChange> Changes, IReadOnlyList<KernelRestricted> Kernels, IActorRef Asker) : INoSerializationVerificationNeeded;

    private sealed record Lifted(IReadOnlyList<string> Names, IReadOnlyList<KernelRestricted> Kernels, IActorRef Asker) : INoSerializationVerificationNeeded;

    private sealed record Reapplied(IReadOnlyList<KernelRestricted> Kernels) : INoSerializationVerificationNeeded;

    private sealed record RestrictAgain(string Name) : INoSerializationVerificationNeeded;

    private sealed record Lapse : INoSerializationVerificationNeeded
    {
        public static readonly Lapse Instance = new();
    }
}
