using System.Text.Json;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Guardian.Actors.Actions;
using Guardian.Actors.Actions.BuiltIn;
using Guardian.Actors.Kernels;
using Guardian.Playbooks.Execution;
using Guardian.Playbooks.Model;

namespace Guardian.Tests.Actions;

/// <summary>Kernels that decide as real ones do; one of them may answer late, as a busy one does.</summary>
public sealed class KernelsScaleTests : TestKit
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly JsonElement Input = JsonElement.Parse("""{ "change": -3 }""");
    private static readonly ActionContext Run = new("run-1/scale", "run-1", "resource/cpu/n", "i-1", "shed");
    private readonly KernelDirectory _directory = new();
    private readonly Dictionary<string, (KernelDefinition Definition, KernelMemory Memory)> _kernels = [];
    private readonly ActionBinding _scale;
    private string? _busy;

    public KernelsScaleTests()
    {
        foreach (var name in new[] { "one", "two" })
        {
            var kernel = new KernelDefinition { Name = name, Type = KernelType.Jobs, Class = "general", Replicas = new ReplicaSpec(2, 0, 4) };
            _kernels[name] = (kernel, new KernelMemory(kernel, 1, KernelScales.InMemory()));
            _directory.Set(KernelViews.Of(kernel, _kernels[name].Memory, KernelState.Running));
        }

        var supervisor = Sys.ActorOf(Props.Create(() => new Kernels(this)));
        _scale = ActionBinding.Of(new KernelsScale(new ActionDependencies
        {
            Blacklist = ActorRefs.Nobody, Bus = ActorRefs.Nobody, Outbox = ActorRefs.Nobody, Time = TimeProvider.System, CountViolations = (_, _, _) => Task.FromResult(0L),
            KernelSupervisor = supervisor, Kernels = _directory,
        }));
    }

    private int[] Wanted => [_kernels["one"].Memory.Wanted, _kernels["two"].Memory.Wanted];

    private ActionContext Undo => Run with { Key = "run-1/scale/undo", ActKey = "run-1/scale" };

    private Task UndoAsync() => _scale.UndoAsync(Input, null, Undo, CancellationToken.None);

    [Fact]
    public async Task What_ran_out_of_time_is_known_to_the_kernels_and_taken_back()
    {
        _busy = "two";
        using var time = new CancellationTokenSource();
        var step = _scale.ExecuteAsync(Input, Run, time.Token);
        await Await.UntilAsync(() => Wanted.Sum() == 1, Soon);
        await time.CancelAsync(); // its answer never came
        await step.Invoking(x => x).Should().ThrowAsync<OperationCanceledException>();
        var (kind, output) = await _scale.ProbeAsync(Input, Run, CancellationToken.None);
        (kind, output!.Value.GetProperty("change").GetInt32()).Should().Be((OutcomeKind.Succeeded, -3));
        await UndoAsync();
        Wanted.Should().Equal(2, 2);
        (await _scale.ProbeAsync(Input, Run, CancellationToken.None)).Item1.Should().Be(OutcomeKind.NotDone);
    }

    [Fact]
    public async Task Each_run_takes_back_its_own_change_in_any_order()
    {
        var other = Run with { Key = "run-2/scale", RunId = "run-2", ActKey = "run-2/scale" };
        await _scale.ExecuteAsync(JsonElement.Parse("""{ "change": -1, "kernel": "one" }"""), Run, CancellationToken.None);
        await _scale.ExecuteAsync(JsonElement.Parse("""{ "change": -1, "kernel": "one" }"""), other, CancellationToken.None);
        Wanted.Should().Equal(0, 2);
        await UndoAsync();
        Wanted.Should().Equal(1, 2);
        await _scale.UndoAsync(Input, null, other, CancellationToken.None);
        Wanted.Should().Equal(2, 2);
    }

    [Fact]
    public async Task An_operators_word_is_not_taken_back()
    {
        await _scale.ExecuteAsync(Input, Run, CancellationToken.None);
        Wanted.Sum().Should().Be(1);
        Apply(new ScaleKernel { Name = "one", To = 4, By = "operator/alice", Reason = "t" }, ActorRefs.Nobody);
        Apply(new ScaleKernel { Name = "two", To = 1, By = "operator/alice", Reason = "as it is" }, ActorRefs.Nobody);
        await UndoAsync();
        Wanted.Should().Equal(4, 1);
    }

    private void Apply(ScaleKernel scale, IActorRef asker)
    {
        var (kernel, memory) = _kernels[scale.Name];
        var (answer, wanted, changes) = KernelScaling.Decide(kernel, memory.Wanted, memory.Changes, scale);
        memory.Want(wanted, changes, asker, answer);
    }

    private sealed class Kernels : ReceiveActor
    {
        public Kernels(KernelsScaleTests test)
        {
            Receive<ScaleKernel>(x => test.Apply(x, x.Name == test._busy && !x.TakeBack ? ActorRefs.Nobody : Sender));
            Receive<FindScale>(x => Sender.Tell(KernelScaling.Find(x.Name, test._kernels[x.Name].Memory.Changes, x.Key)));
        }
    }
}
