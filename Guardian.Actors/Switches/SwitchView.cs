using System.Collections.Immutable;

namespace Guardian.Actors.Switches;

/// <summary>Which playbooks operators disabled; read from any thread. A playbook that nobody spoke of is enabled.</summary>
internal sealed class SwitchView
{
    private volatile ImmutableDictionary<string, PlaybookSwitch> _switches = ImmutableDictionary.Create<string, PlaybookSwitch>(StringComparer.Ordinal);

    /// <summary>Every word that was spoken.</summary>
    public IEnumerable<PlaybookSwitch> All => _switches.Values;

    /// <summary>The word on a playbook; null where nobody spoke.</summary>
    public PlaybookSwitch? Of(string playbook) => _switches.GetValueOrDefault(playbook);

    /// <summary>True where the playbook may start runs.</summary>
    public bool IsEnabled(string playbook) => Of(playbook) is not { Enabled: false };

    /// <summary>Takes a word in; false where one as new is known. Called by the SwitchReplica actor alone.</summary>
    public bool Take(PlaybookSwitch word)
    {
        if (Of(word.Playbook) is { } known && known.At >= word.At) return false;
        _switches = _switches.SetItem(word.Playbook, word);
        return true;
    }
}
