using Guardian.Actors.Notifications;

namespace Guardian.Actors.Serialization;

/// <summary>Every room with types on the wire or in the journal.</summary>
internal static class SerializedRooms
{
    public static IReadOnlyList<SerializedRoom> All { get; } =
    [
        Bus.BusSerialization.Room,
        Relay.RelaySerialization.Room,
        OutboxJson.Room,
        Blacklisting.BlacklistJson.Room,
        Autonomy.ModeJson.Room,
        Silencing.SilencingJson.Room,
        Incidents.IncidentsSerialization.Room,
        Runs.RunsSerialization.Room,
        Guards.GuardsJson.Room,
        Actions.ActionsRoom.Room,
        Switches.SwitchJson.Room,
        Kernels.KernelsRoom.Room,
    ];
}
