namespace Guardian.Actors.Resources;

/// <summary>Pressure stall information of this process's own control group, else of the machine; unknown where the kernel has none.</summary>
internal sealed class PressureReader : IDisposable
{
    private readonly ProcFile _file;
    private readonly string _source;

    /// <param name="root">Empty, or the folder of a fixture.</param>
    /// <param name="kind">cpu, memory or io.</param>
    public PressureReader(string root, string kind)
    {
        var unified = CgroupLevels.Of(root, null);
        var own = unified.Folders.Count > 0 ? $"{unified.Folders[0]}/{kind}.pressure" : "";
        var path = own.Length > 0 && File.Exists(own) ? own : $"{root}/proc/pressure/{kind}";
        _file = new ProcFile(path);
        _source = path[root.Length..];
    }

    public Gauge Read(DateTimeOffset at, byte[] buffer)
    {
        if (!_file.TryRead(buffer, out var text, out var why)) return Gauge.NotKnown(_source, at, why!);
        return ProcText.TryPressure(text, out var percent) ? new Gauge(percent, _source, at) : Gauge.NotKnown(_source, at, $"{_file.Path} has no 'some avg10='");
    }

    public void Dispose() => _file.Dispose();
}
