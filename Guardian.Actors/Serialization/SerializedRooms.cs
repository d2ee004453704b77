namespace Guardian.Actors.Serialization;

/// <summary>Every room with types on the wire or in the journal.</summary>
internal static class SerializedRooms
{
    public static IReadOnlyList<SerializedRoom> All { get; } =
    [
        Actions.ActionsRoom.Room,
    ];
}
