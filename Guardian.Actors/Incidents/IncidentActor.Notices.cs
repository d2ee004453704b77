using Akka.Actor;
using Guardian.Actors.Notifications;

namespace Guardian.Actors.Incidents;

internal sealed partial class IncidentActor
{
    /// <summary>The outbox knows the key, so a repeat does no harm.</summary>
    private static readonly TimeSpan TellAgain = TimeSpan.FromSeconds(2);

    private readonly Dictionary<(string Channel, string Key), TellResolved> _untold = [];

    /// <summary>The channels that were told of the incident hear that it is over, also when this process was not there for it.</summary>
    private void AnnounceOver()
    {
        if (_state.Over is not { } over || _deps.Outbox.IsNobody()) return;
        foreach (var channel in _state.Told)
        {
            var notice = new TellResolved
            {
                Channel = channel, IncidentId = _state.Id, IncidentKey = _state.Raised!.Key, State = over.State, Reason = over.Reason, At = over.At,
            };
            _untold[(channel, notice.Key)] = notice;
        }

        TellChannels();
    }

    private void TellChannels()
    {
        if (_untold.Count == 0) return;
        foreach (var notice in _untold.Values) _deps.Outbox.Tell(notice);
        Timers.StartSingleTimer(nameof(TellOver), TellOver.Instance, TellAgain);
    }

    private void ChannelTold(OutboxAccepted answer)
    {
        // A channel that is full answers no; it is asked again until it takes the notice.
        if (!answer.Accepted || answer.Channel is not { } channel || !_untold.Remove((channel, answer.Key))) return;
        if (_untold.Count == 0) Timers.Cancel(nameof(TellOver));
    }

    private sealed record TellOver : INoSerializationVerificationNeeded
    {
        public static readonly TellOver Instance = new();
    }
}
