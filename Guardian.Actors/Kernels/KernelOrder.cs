using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Kernels;

/// <summary>The order in which kernels start: after those they depend on, and the critical ones first. Pure.</summary>
internal static class KernelOrder
{
    /// <summary>Reports dependencies that do not exist or go round in a circle.</summary>
    public static void Check(IReadOnlyList<KernelDefinition> kernels, Action<string, string> report)
    {
        var byName = kernels.ToDictionary(x => x.Name, StringComparer.Ordinal);
        foreach (var kernel in kernels)
        {
            foreach (var name in kernel.DependsOn.Where(x => !byName.ContainsKey(x)))
                report(kernel.Name, $"kernel '{kernel.Name}' depends on '{name}', which does not exist{Spelling.Hint(name, byName.Keys)}");
            if (Reaches(kernel, kernel.Name, byName, [])) report(kernel.Name, $"kernel '{kernel.Name}' depends on itself in a circle");
        }
    }

    /// <summary>Kernels in the order of their start; the reverse is the order of their end.</summary>
    public static IReadOnlyList<KernelDefinition> Sort(IReadOnlyCollection<KernelDefinition> kernels)
    {
        var left = kernels.OrderBy(x => x.Criticality).ThenBy(x => x.Name, StringComparer.Ordinal).ToList();
        var known = left.Select(x => x.Name).ToHashSet(StringComparer.Ordinal);
        var placed = new HashSet<string>(StringComparer.Ordinal);
        var order = new List<KernelDefinition>(left.Count);
        while (left.Count > 0)
        {
            var next = left.Find(x => x.DependsOn.All(y => placed.Contains(y) || !known.Contains(y))) ?? left[0];
            left.Remove(next);
            placed.Add(next.Name);
            order.Add(next);
        }

        return order;
    }

    private static bool Reaches(KernelDefinition from, string target, Dictionary<string, KernelDefinition> byName, HashSet<string> seen)
    {
        foreach (var name in from.DependsOn)
        {
            if (name == target) return true;
            if (seen.Add(name) && byName.TryGetValue(name, out var next) && Reaches(next, target, byName, seen)) return true;
        }

        return false;
    }
}
