using Guardian.Playbooks.Yaml;

namespace Guardian.Actors.Chaos;

/// <summary>Finds what an operator means by an id.</summary>
internal static class ScenarioCatalog
{
    /// <summary>
    /// <c>all</c> is everything, a full name is that scenario, an id such as <c>S02</c> is the one scenario with it that is no
    /// variant. Order as asked for, each once.
    /// </summary>
    /// <exception cref="ArgumentException">Nothing has such an id or name; the message shows the nearest.</exception>
    public static IReadOnlyList<Scenario> Pick(IReadOnlyList<Scenario> all, IReadOnlyList<string> ids)
    {
        var picked = new List<Scenario>();
        foreach (var id in ids)
        {
            if (id == "all") picked.AddRange(all);
            else picked.Add(all.FirstOrDefault(x => x.Name == id) ?? all.FirstOrDefault(x => x.VariantOf is null && x.Id == id) ?? throw Unknown(all, id));
        }

        return [.. picked.Distinct()];
    }

    private static ArgumentException Unknown(IReadOnlyList<Scenario> all, string id) =>
        new($"no scenario '{id}'{Spelling.Hint(id, all.Select(x => x.Name).Concat(all.Select(x => x.Id)))}");
}
