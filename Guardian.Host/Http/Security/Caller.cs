namespace Guardian.Host.Http.Security;

/// <summary>What a key may do. Admin implies operator implies viewer; publisher is the bus alone.</summary>
[Flags]
internal enum Rights
{
    None = 0,
    Read = 1,
    Bus = 2,
    Operate = 4,
    Administer = 8,
}

/// <summary>Who calls: a key's principal, or the keyless loopback caller.</summary>
/// <param name="Name">Principal on the bus and the operator's name in audits.</param>
/// <param name="Rights">What it may do.</param>
internal readonly record struct Caller(string Name, Rights Rights)
{
    /// <summary>Owner of what an operator sets.</summary>
    public string Owner => "operator/" + Name;

    public bool May(Rights needed) => (Rights & needed) == needed;
}
