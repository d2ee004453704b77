using System.Globalization;
using System.Text.Json;
using Akka.Actor;
using Akka.Event;
using Guardian.Actors.Access;
using Guardian.Actors.Bus;

namespace Guardian.Actors.Kernels;

/// <summary>
/// Takes jobs from the bus: a <see cref="JobOrder"/> on <c>scheduler.jobs.&lt;kernel&gt;</c>. The policy says who may publish there. What became of
/// an order is published on <c>scheduler.job_events.&lt;kernel&gt;</c> under the order's message id. Both topics stay on their node.
/// </summary>
internal sealed class JobsOverBus : ReceiveActor
{
    public const string Orders = "scheduler.jobs.";
    public const string Events = "scheduler.job_events.";

    /// <summary>Whose jobs: <c>bus/&lt;principal&gt;/&lt;message&gt;</c>.</summary>
    public const string Owner = "bus/";

    /// <summary>Orders on their way into the journal; further ones are refused.</summary>
    private const int MaxUnderWay = 1_000;

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30); // a journal that is away for longer is down

    private readonly IActorRef _kernels;
    private readonly Func<string, IActorRef, Task<BusPort>> _register;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, JobNews?> _underWay = new(StringComparer.Ordinal); // by message; with its end where that is heard before the answer
    private BusPort? _port;

    public JobsOverBus(IActorRef kernels, Func<string, IActorRef, Task<BusPort>> register)
    {
        (_kernels, _register) = (kernels, register);
        Receive<Registered>(OnRegistered);
        Receive<BusMessage>(OnOrder);
        Receive<Answered>(OnAnswered);
        Receive<JobOver>(OnOver);
    }

    public static Props Props(IActorRef kernels, Func<string, IActorRef, Task<BusPort>> register) => Akka.Actor.Props.Create(() => new JobsOverBus(kernels, register));

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(JobOver));
        _register(AccessPolicy.GuardianPrincipal, Self).PipeTo(Self, success: x => new Registered(x, null), failure: e => new Registered(null, e.GetBaseException().Message));
    }

    private void OnRegistered(Registered registered)
    {
        _port = registered.Port;
        var result = _port?.Subscribe(Orders + ">", Self);
        if (result is not { Accepted: true })
            _log.Warning("Jobs are not taken from the bus, over HTTP they are: {0}", registered.Failure ?? $"'guardian' may not subscribe to {Orders}> ({result?.Outcome})");
    }

    private void OnOrder(BusMessage message)
    {
        var kernel = message.Topic[Orders.Length..];
        var (submit, problem) = JobOrders.Read(kernel, message);
        if (submit is null)
        {
            Say(new JobNews { Request = message.Id, Kernel = kernel, State = "refused", Reason = problem });
            return;
        }

        if (_underWay.Count >= MaxUnderWay)
        {
            Say(new JobNews { Request = message.Id, Kernel = kernel, State = "refused", Reason = string.Create(CultureInfo.InvariantCulture, $"{MaxUnderWay} orders are under way; try again later") });
            return;
        }

        _underWay[message.Id] = null;
        _kernels.Ask<JobAnswer>(submit, AnswerWithin).PipeTo(Self, success: x => new Answered(message.Id, kernel, x),
            failure: e => new Answered(message.Id, kernel, new JobAnswer { Refusal = "unknown", Reason = $"the journal did not answer; whether the job was taken is not known: {e.GetBaseException().Message}" }));
    }

    private void OnAnswered(Answered answered)
    {
        _underWay.Remove(answered.Message, out var end);
        var (job, answer) = (answered.Answer.Job, answered.Answer);
        Say(new JobNews { Request = answered.Message, Kernel = answered.Kernel, Job = job?.Id, State = job is not null ? "queued" : answer.Refusal == "unknown" ? "unknown" : "refused", Reason = answer.Reason });
        if (end is not null) Say(end);
    }

    /// <summary>Said after its beginning, also where it is heard of before.</summary>
    private void OnOver(JobOver over)
    {
        var news = new JobNews
        {
            Request = over.By[(over.By.LastIndexOf('/') + 1)..], Kernel = over.Job.Kernel, Job = over.Job.Id,
            State = Playbooks.Yaml.YamlValues.Snake(over.Job.State), ExitCode = over.Job.ExitCode, Reason = over.Job.Reason,
        };
        if (_underWay.ContainsKey(news.Request)) _underWay[news.Request] = news;
        else Say(news);
    }

    /// <summary>Nobody has to listen; what the bus refuses is lost, and the job can be asked for over HTTP.</summary>
    private void Say(JobNews news) => _port?.Publish(Events + news.Kernel, JsonSerializer.SerializeToUtf8Bytes(news, JobOrdersJson.Default.JobNews), "application/json");

    private sealed record Registered(BusPort? Port, string? Failure) : INoSerializationVerificationNeeded;

    private sealed record Answered(string Message, string Kernel, JobAnswer Answer) : INoSerializationVerificationNeeded;
}

/// <summary>On the local event stream: a job that came from the bus is over.</summary>
internal sealed record JobOver(JobView Job, string By) : INoSerializationVerificationNeeded;
