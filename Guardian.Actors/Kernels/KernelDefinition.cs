using Guardian.Playbooks.Model;

namespace Guardian.Actors.Kernels;

/// <summary>What a kernel is made of.</summary>
public enum KernelType
{
    /// <summary>A .NET actor of the application; from code only.</summary>
    Actor,

    /// <summary>A command, run as child processes.</summary>
    Process,

    /// <summary>A pool of workers that run jobs.</summary>
    Jobs,
}

/// <summary>What may be done to a kernel when the node is short of something.</summary>
public enum KernelCriticality
{
    /// <summary>Never throttled, paused or scaled down by a playbook; the node is not ready without it.</summary>
    Critical,

    /// <summary>Throttled under pressure.</summary>
    Normal,

    /// <summary>The first to be throttled, paused and scaled down.</summary>
    Background,
}

/// <summary>A kernel as declared in <c>kernels.yaml</c> or in code. Two definitions with the same fields describe the same kernel.</summary>
internal sealed record KernelDefinition
{
    /// <summary>1 to 63 letters, digits, dots, dashes, underscores; unique on the node.</summary>
    public required string Name { get; init; }

    public required KernelType Type { get; init; }

    public KernelCriticality Criticality { get; init; } = KernelCriticality.Normal;

    /// <summary>Workload class, e.g. <c>model_training</c>; <c>general</c> where nothing is said.</summary>
    public string Class { get; init; } = "general";

    /// <summary>How far playbooks may act on it; <c>enforce</c>: what destroys (kill) may be done to it by itself too; null: the node's autonomy decides.</summary>
    public OperatingMode? Remediation { get; init; }

    /// <summary>Names of kernels that must be ready before this one starts.</summary>
    public IReadOnlyList<string> DependsOn { get; init; } = [];

    /// <summary>Instances of an actor or process; workers of a pool.</summary>
    public ReplicaSpec Replicas { get; init; } = new();

    public HeartbeatSpec Heartbeat { get; init; } = new();

    public RestartSpec Restart { get; init; } = new();

    /// <summary>Only for <see cref="KernelType.Process"/>.</summary>
    public ProcessSpec? Process { get; init; }

    /// <summary>Only for <see cref="KernelType.Jobs"/>.</summary>
    public JobsSpec? Jobs { get; init; }

    /// <summary>Only for <see cref="KernelType.Actor"/>: what the application gave.</summary>
    public ActorSpec? Actor { get; init; }

    /// <summary>A text that differs when anything in the definition does; lists count by their items.</summary>
    public string Signature => string.Join('\u001f',
        Name, Type, Criticality, Class, Remediation, string.Join(',', DependsOn), Replicas, Heartbeat.Signature, Restart,
        Process?.Signature, Jobs?.Signature, Actor is null ? "" : "code");
}

/// <summary>How many; scaling stays within <paramref name="Min"/> and <paramref name="Max"/>.</summary>
internal sealed record ReplicaSpec(int Count = 1, int Min = 1, int Max = 1);

/// <summary>How a kernel shows that it lives.</summary>
internal sealed record HeartbeatSpec
{
    /// <summary>One beat in so long. 50 ms to 1 h.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Without a beat for so long it is missed; three intervals where nothing is said.</summary>
    public TimeSpan MissAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>What a process is asked; an actor beats by itself.</summary>
    public HealthProbe Probe { get; init; } = new(ProbeKind.Alive);

    /// <summary>An actor that calls <see cref="KernelContext.Beat"/> itself.</summary>
    public bool ByItself { get; init; }

    public string Signature => $"{Every}|{MissAfter}|{ByItself}|{Probe.Signature}";
}

/// <summary>How a process is asked whether it lives or is ready.</summary>
internal enum ProbeKind
{
    /// <summary>It exists and is not stopped.</summary>
    Alive,

    /// <summary>An address answers below 400.</summary>
    Http,

    /// <summary>A port accepts a connection.</summary>
    Tcp,

    /// <summary>A command ends with 0.</summary>
    Exec,

    /// <summary>A file was written since it was looked at last.</summary>
    File,
}

/// <summary>A probe; <paramref name="Target"/> is its address, <c>host:port</c> or path, <paramref name="Command"/> that of <c>exec</c>.</summary>
internal sealed record HealthProbe(ProbeKind Kind, string Target = "", IReadOnlyList<string>? Command = null)
{
    public string Signature => $"{Kind}|{Target}|{string.Join('\u001e', Command ?? [])}";
}

/// <summary>When and how often a kernel that ended is started again.</summary>
internal sealed record RestartSpec
{
    /// <summary>So many restarts within <see cref="Within"/>, never more; then it is a crash loop.</summary>
    public int Max { get; init; } = 5;

    public TimeSpan Within { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Wait before the second restart in a row; it doubles. The first has none.</summary>
    public TimeSpan Initial { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After so long without a crash the back-off begins anew. Where nothing is said <see cref="Within"/> / <see cref="Max"/>:
    /// what stays up longer than that can never reach the limit.
    /// </summary>
    public TimeSpan? HealthyAfter { get; init; }

    public TimeSpan Healthy => HealthyAfter ?? Within / Max;
}

/// <summary>A command run as child processes, never through a shell.</summary>
internal sealed record ProcessSpec
{
    /// <summary>Program and arguments.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Null: Guardian's own.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Between TERM and KILL.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Null: ready once it runs.</summary>
    public HealthProbe? ReadyProbe { get; init; }

    /// <summary>A replica that is not ready in time counts as crashed.</summary>
    public TimeSpan ReadyWithin { get; init; } = TimeSpan.FromSeconds(30);

    public OutputSpec Output { get; init; } = new();

    /// <summary>What each replica may use at most.</summary>
    public LimitSpec Limits { get; init; } = new();

    public string Signature => string.Join('\u001e', [.. Command, .. Environment.OrderBy(x => x.Key, StringComparer.Ordinal).Select(x => $"{x.Key}={x.Value}"),
        WorkingDirectory ?? "", $"{Grace}|{ReadyProbe?.Signature}|{ReadyWithin}|{Output}{(Limits.Any ? "|" + Limits : "")}"]);
}

/// <summary>Output files: the current one and older ones, each at most <paramref name="MaxBytes"/>.</summary>
internal sealed record OutputSpec(long MaxBytes = 10 * 1024 * 1024, int Files = 3);

/// <summary>What one replica may use at most, with all that it starts; null: no limit of its own.</summary>
/// <param name="Cpu">Cores, may be a fraction.</param>
/// <param name="Memory">Bytes.</param>
/// <param name="Processes">Processes and threads.</param>
internal sealed record LimitSpec(double? Cpu = null, long? Memory = null, int? Processes = null)
{
    public bool Any => Cpu is not null || Memory is not null || Processes is not null;
}

/// <summary>How an actor kernel is made.</summary>
internal sealed record ActorSpec(Func<Akka.Actor.ActorSystem, KernelContext, Akka.Actor.Props> Make);

/// <summary>What a pool runs.</summary>
internal sealed record JobsSpec
{
    /// <summary>Commands by the name that a job gives; from <c>kernels.yaml</c> only.</summary>
    public IReadOnlyDictionary<string, JobCommand> Commands { get; init; } = new Dictionary<string, JobCommand>();

    /// <summary>A .NET handler, from code only: runs jobs without a command.</summary>
    public JobHandler? Handler { get; init; }

    /// <summary>Attempts of a handler's job in all.</summary>
    public int HandlerAttempts { get; init; } = 1;

    /// <summary>A handler's job that is not done by then is over.</summary>
    public TimeSpan HandlerTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Accepted jobs waiting; further ones are refused.</summary>
    public int Queue { get; init; } = 10_000;

    public string Signature => string.Join('\u001e', Commands.OrderBy(x => x.Key, StringComparer.Ordinal).Select(x => x.Key + "=" + x.Value.Signature).Append($"{Queue}|{Handler is not null}|{HandlerAttempts}|{HandlerTimeout}"));
}

/// <summary>A declared command of a pool.</summary>
internal sealed record JobCommand
{
    public required IReadOnlyList<string> Command { get; init; }

    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Attempts in all.</summary>
    public int Attempts { get; init; } = 1;

    public string Signature => $"{string.Join('\u001d', Command)}|{Timeout}|{Attempts}";
}
