namespace Guardian.Tests;

/// <summary>Awaits a condition with a deadline instead of sleeping.</summary>
internal static class Await
{
    public static Task UntilAsync(Func<bool> condition, TimeSpan deadline) => UntilAsync(() => Task.FromResult(condition()), deadline);

    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan deadline)
    {
        using var timeout = new CancellationTokenSource(deadline);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!await condition()) await timer.WaitForNextTickAsync(timeout.Token);
    }
}
