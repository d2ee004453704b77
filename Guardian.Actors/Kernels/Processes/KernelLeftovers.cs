namespace Guardian.Actors.Kernels.Processes;

/// <summary>What the kernels of a node leave that was killed and does not come back.</summary>
internal static class KernelLeftovers
{
    /// <summary>Kills their processes, then removes their control groups.</summary>
    /// <param name="dataDirectory">Of the dead node.</param>
    public static async Task EndAsync(string dataDirectory)
    {
        await ProcessInstance.SweepAsync(InstanceFolder.Root(dataDirectory), [], atOnce: true).ConfigureAwait(false);
        var name = Path.Combine(dataDirectory, "node.name");
        if (File.Exists(name)) ControlGroup.RemoveAll((await File.ReadAllTextAsync(name).ConfigureAwait(false)).Trim());
    }
}
