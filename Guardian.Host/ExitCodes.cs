namespace Guardian.Host;

/// <summary>Exit codes of every command; under <c>chaos</c> its own hold.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Negative = 1;
    public const int Usage = 2;
    public const int Unreachable = 3;
}
