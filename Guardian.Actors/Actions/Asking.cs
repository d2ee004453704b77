using Akka.Actor;

namespace Guardian.Actors.Actions;

/// <summary>Asks that end with the token instead of with a time of their own.</summary>
internal static class Asking
{
    /// <summary>A lost question, or one to an entity that just moved, costs this long.</summary>
    private static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(2);

    /// <summary>Asks once.</summary>
    public static Task<T> OnceAsync<T>(IActorRef target, object message, CancellationToken cancellation) =>
        target.Ask<T>(message, Timeout.InfiniteTimeSpan, cancellation);

    /// <summary>Repeats the question until it is answered. Only for messages that are idempotent under their key.</summary>
    /// <exception cref="ActionUnreachableException">The token ended before an answer came.</exception>
    public static async Task<T> UntilAnsweredAsync<T>(IActorRef target, object message, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                cancellation.ThrowIfCancellationRequested();
                return await target.Ask<T>(message, RepeatAfter, cancellation).ConfigureAwait(false);
            }
            catch (AskTimeoutException)
            {
                // Asked again: the receiver knows the key.
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                throw new ActionUnreachableException($"{target.Path.Name} gave no answer");
            }
        }
    }
}
