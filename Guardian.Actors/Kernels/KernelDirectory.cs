using System.Collections.Concurrent;

namespace Guardian.Actors.Kernels;

/// <summary>Written by the kernels' actors, each its own entry; read from any thread.</summary>
internal sealed class KernelDirectory : IKernelDirectory
{
    private readonly ConcurrentDictionary<string, KernelView> _kernels = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public IReadOnlyList<KernelView> All => [.. _kernels.Values.OrderBy(x => x.Name, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public KernelView? Find(string name) => _kernels.GetValueOrDefault(name);

    public void Set(KernelView view) => _kernels[view.Name] = view;

    public void Remove(string name) => _kernels.TryRemove(name, out _);
}
