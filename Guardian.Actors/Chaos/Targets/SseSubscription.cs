using System.Runtime.CompilerServices;
using System.Text;

namespace Guardian.Actors.Chaos.Targets;

/// <summary>Reads server-sent events: the lines <c>data:</c> up to an empty line are one message.</summary>
internal sealed class SseSubscription(HttpResponseMessage response) : IChaosSubscription
{
    public async IAsyncEnumerable<ChaosMessage> Messages([EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var data = new StringBuilder();
        while (await reader.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                if (data.Length > 0) data.Append('\n');
                data.Append(line.AsSpan(line.Length > 5 && line[5] == ' ' ? 6 : 5));
            }
            else if (line.Length == 0 && data.Length > 0)
            {
                var message = TargetJson.Message(data.ToString());
                data.Clear();
                if (message is { Topic.Length: > 0 }) yield return message;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        response.Dispose();
        return ValueTask.CompletedTask;
    }
}
