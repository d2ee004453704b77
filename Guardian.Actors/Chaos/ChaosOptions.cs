namespace Guardian.Actors.Chaos;

/// <summary><c>Guardian:Chaos</c>.</summary>
public sealed class ChaosOptions
{
    /// <summary>Whether this node lets scenarios run against it.</summary>
    public bool Enabled { get; set; }
}
