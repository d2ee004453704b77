namespace Guardian.Host.Hosting;

internal static partial class HostLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Configuration was changed but not taken over: {Reason}")]
    public static partial void BadReload(ILogger log, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    public static partial void Option(ILogger log, string warning);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Running as root: a fault in Guardian or a playbook has the whole machine. Use an account of its own")]
    public static partial void Root(ILogger log);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Guardian cannot go on: {Reason}; the process ends so that its supervisor starts it anew")]
    public static partial void Lost(ILogger log, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The cluster has removed this node, which it could not reach; the process ends so that its supervisor starts it anew")]
    public static partial void Downed(ILogger log);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Guardian cannot start: {Reason}")]
    public static partial void Disabled(ILogger log, string reason);
}
