using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Kernels.Processes;

namespace Guardian.Actors.Kernels;

/// <summary>
/// Parent of the kernels: starts each once what it depends on runs, replaces those whose definition changed, keeps the leases that
/// restrict them, and ends them in order. A kernel that is replaced is gone before its successor begins.
/// </summary>
internal sealed partial class KernelSupervisor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);

    private readonly SupervisorMemory _memory;
    private readonly KernelWorld _world;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, IActorRef> _actors = new(StringComparer.Ordinal);
    private readonly List<IActorRef> _ending = [];
    private HashSet<string>? _swept;

    public KernelSupervisor(SupervisorMemory memory, KernelWorld world)
    {
        (_memory, _world) = (memory, world);
        Receive<KernelsReloaded>(_ => Take());
        Receive<KernelChanged>(OnChanged);
        Receive<Terminated>(OnTerminated);
        Receive<EndKernels>(OnEnd);
        Receive<OutOfTime>(_ => OnOutOfTime());
        Receive<RestartKernel>(x => Forward(x.Name, x));
        Receive<StopKernel>(x => Forward(x.Name, x));
        Receive<ScaleKernel>(x => Forward(x.Name, x));
        Receive<FindScale>(x => Forward(x.Name, x));
        Receive<MuteKernel>(x => Forward(x.Name, x));
        Receive<RestrictKernels>(OnRestrict);
        Receive<LiftKernels>(x => Lift(_memory.Leases.Lift(x)));
        Receive<LiftKernelMitigation>(x => Lift(_memory.Leases.Lift(x.Id)));
        Receive<GetKernelMitigations>(_ => Sender.Tell(new KernelMitigations(_memory.Leases.Mitigations)));
        Receive<Swept>(OnSwept);
        Receive<Applied>(OnApplied);
        Receive<Lifted>(OnLifted);
        Receive<Reapplied>(x => TryAgain(x.Kernels));
        Receive<SubmitJob>(x => ForwardJob(x.Kernel, x));
        Receive<GetJob>(x => ForwardJob(x.Kernel, x));
        Receive<ListJobs>(x => ForwardJob(x.Kernel, x));
        Receive<RetryJob>(x => ForwardJob(x.Kernel, x));
        Receive<StartAgain>(x => OnStartAgain(x.Name));
        Receive<Lapse>(_ => Reapply(_memory.Leases.Sweep()));
        Receive<RestrictAgain>(x => Reapply([x.Name]));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(SupervisorMemory memory, KernelWorld world) => Akka.Actor.Props.Create(() => new KernelSupervisor(memory, world));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(Decider.From(Directive.Restart)); // its instances go on

    protected override void PreStart()
    {
        var (folder, declared) = (_world.Folder, _memory.Catalog.Current.Kernels);
        _swept = [.. declared.Select(x => x.Name), .. _memory.Running.Keys];
        Task.Run(async () =>
        {
            var ended = await ProcessInstance.SweepAsync(folder, declared).ConfigureAwait(false);
            ControlGroup.RemoveUnused();
            return ended;
        }).PipeTo(Self, success: x => new Swept(x, null), failure: e => new Swept(0, e.GetBaseException().Message));
        Take();
        Reapply(_memory.Leases.Sweep()); // a crash forgot when the next one lapses
    }

    /// <summary>Its kernels go on: they are taken over by the next one.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
        foreach (var child in Context.GetChildren()) Context.Unwatch(child);
        PostStop();
    }

    private void Take()
    {
        foreach (var child in Context.GetChildren())
        {
            var name = child.Path.Name[..child.Path.Name.LastIndexOf('~')];
            _actors[name] = Context.Watch(child);
        }

        if (_memory.Ending) return;
        var declared = _memory.Catalog.Current.Kernels.ToDictionary(x => x.Name, StringComparer.Ordinal);
        foreach (var (name, running) in _memory.Running.ToList())
        {
            if (declared.TryGetValue(name, out var now) && now.Signature == running.Signature) continue;
            _log.Info("Kernel {0} {1}", name, now is null ? "is not declared any more and is ended" : "has changed and is replaced");
            _actors.GetValueOrDefault(name)?.Tell(new RetireKernel());
        }

        foreach (var kernel in KernelOrder.Sort([.. declared.Values])) StartKernel(kernel);
        Advance();
    }

    private void StartKernel(KernelDefinition kernel)
    {
        if (_actors.ContainsKey(kernel.Name)) return; // as it is, or ending: its end starts the new one
        if (_swept?.Contains(kernel.Name) == false) return; // declared since: what is left of it may just be being ended
        _memory.Running[kernel.Name] = kernel;
        var memory = _memory.Of(kernel, _world.Time.GetUtcNow().ToUnixTimeSeconds());
        memory.Restriction = _memory.Leases.On(kernel.Name);
        var props = kernel.Type == KernelType.Jobs ? JobsActor.Props(kernel, memory, _memory.Directory, _world) : KernelActor.Props(kernel, memory, _memory.Directory, _world);
        _actors[kernel.Name] = Context.Watch(Context.ActorOf(props.WithDispatcher(Context.Props.Dispatcher), $"{kernel.Name}~{_memory.NextNumber()}"));
    }

    /// <summary>Begins every kernel whose dependencies run.</summary>
    private void Advance()
    {
        foreach (var kernel in _memory.Running.Values)
        {
            if (_memory.Begun.Contains(kernel.Name) || !_actors.TryGetValue(kernel.Name, out var actor)) continue;
            if (!kernel.DependsOn.All(x => _memory.Directory.Find(x)?.State == KernelState.Running)) continue;
            _memory.Begun.Add(kernel.Name);
            actor.Tell(BeginKernel.Instance);
        }
    }

    private void OnChanged(KernelChanged changed)
    {
        _log.Info("Kernel {0}: {1}", changed.Name, changed.State);
        Advance();
        if (_ending.Count > 0) End();
    }

    private void OnTerminated(Terminated terminated)
    {
        if (_actors.FirstOrDefault(x => x.Value.Equals(terminated.ActorRef)).Key is not { } name) return;
        _actors.Remove(name);
        if (_memory.Retired(name))
        {
            _memory.Forget(name);
            if (!_memory.Ending && _memory.Catalog.Current.Kernels.FirstOrDefault(x => x.Name == name) is { } again) StartKernel(again);
        }
        else
        {
            // A pool whose journal failed: it starts again from what is written, once the journal may be back.
            _log.Warning("Kernel {0} stopped and is started again in {1}", name, AgainAfter);
            _memory.Begun.Remove(name);
            Timers.StartSingleTimer("again/" + name, new StartAgain(name), AgainAfter);
        }

        Advance();
        if (_ending.Count > 0) End();
    }

    private void OnStartAgain(string name)
    {
        if (_memory.Ending || !_memory.Running.TryGetValue(name, out var kernel)) return;
        if (_memory.Catalog.Current.Kernels.FirstOrDefault(x => x.Name == name) is not { } declared) _memory.Forget(name);
        else if (declared.Signature != kernel.Signature)
        {
            _memory.Forget(name);
            StartKernel(declared);
        }
        else StartKernel(kernel);
        Advance();
    }

    private void OnEnd(EndKernels end)
    {
        _ending.Add(Sender);
        Timers.StartSingleTimer("out-of-time", OutOfTime.Instance, end.Within);
        End();
    }

    private void OnOutOfTime()
    {
        _log.Warning("Kernels that have not ended are killed: {0}", string.Join(", ", _actors.Keys));
        foreach (var actor in _actors.Values) actor.Tell(new RetireKernel(Kill: true));
    }

    /// <summary>Ends what nothing that still lives depends on; the rest follows.</summary>
    private void End()
    {
        _memory.Ending = true;
        foreach (var (name, actor) in _actors)
        {
            if (!_memory.Running.Values.Any(x => _actors.ContainsKey(x.Name) && x.DependsOn.Contains(name))) actor.Tell(new RetireKernel());
        }

        if (_actors.Count > 0) return;
        foreach (var asker in _ending) asker.Tell(KernelsEnded.Instance);
        _ending.Clear();
    }

    private void Forward(string name, KernelCommand command)
    {
        if (_memory.Ending) Sender.Tell(new KernelAnswer { Done = false, Reason = "the node is shutting down" });
        else if (_actors.TryGetValue(name, out var actor))
        {
            _log.Info("Kernel {0}: {1} by {2}: {3}", name, command.GetType().Name, command.By, command.Reason);
            actor.Forward(command);
        }
        else if (_memory.Running.ContainsKey(name)) Sender.Tell(new KernelAnswer { Done = false, Reason = $"kernel '{name}' is just being started again" }); // not gone: an undo comes again
        else Sender.Tell(NoSuchKernel(name));
    }

    private void ForwardJob(string name, object message)
    {
        if (_memory.Running.GetValueOrDefault(name) is { Type: not KernelType.Jobs } other)
            Sender.Tell(new JobAnswer { Refusal = "invalid", Reason = $"kernel '{other.Name}' is no pool of jobs but of type {Guardian.Playbooks.Yaml.YamlValues.Snake(other.Type)}" });
        else if (_actors.TryGetValue(name, out var actor)) actor.Forward(message);
        else Sender.Tell(new JobAnswer { Refusal = "not_found", Reason = NoSuchKernel(name).Reason });
    }

    private void OnSwept(Swept swept)
    {
        if (swept.Ended > 0) _log.Info("{0} processes of kernels that are not declared any more were ended", swept.Ended);
        if (swept.Failure is not null) _log.Error("Processes of kernels that are not declared any more cannot be looked for: {0}", swept.Failure);
        _swept = null;
        Take();
    }

    private KernelAnswer NoSuchKernel(string name) => new()
    {
        Done = false, NotFound = true, Reason = $"there is no kernel '{name}'{Guardian.Playbooks.Yaml.Spelling.Hint(name, _memory.Running.Keys)}",
    };

    private sealed record Swept(int Ended, string? Failure) : INoSerializationVerificationNeeded;

    private sealed record StartAgain(string Name) : INoSerializationVerificationNeeded;

    private sealed record OutOfTime : INoSerializationVerificationNeeded
    {
        public static readonly OutOfTime Instance = new();
    }
}
