using Guardian.Actors.Kernels;
using Guardian.Actors.Kernels.Processes;

namespace Guardian.Actors.Hosting;

/// <summary>A file of kernels that is not there says nothing: it must not end what an earlier Guardian left running.</summary>
internal static class KernelFile
{
    /// <summary>Refuses to go on without the configured file, shipped example or not, where that would end living kernels.</summary>
    /// <param name="configured"><c>Guardian:Files:Kernels</c>; empty: there is to be none.</param>
    /// <param name="catalog">What is declared instead: in code, and in the shipped file.</param>
    /// <param name="dataDirectory">Of the node.</param>
    /// <exception cref="IOException">The file is not there, and kernels live that would be ended; they are left as they are.</exception>
    public static void Require(string configured, KernelCatalog catalog, string dataDirectory)
    {
        if (configured.Length == 0) return;
        var path = Path.GetFullPath(configured);
        if (File.Exists(path)) return;
        var survivors = ProcessInstance.Survivors(InstanceFolder.Root(dataDirectory), catalog.Current.Kernels);
        if (survivors.Count == 0) return;
        throw new IOException($"the file of kernels {path} (Guardian:Files:Kernels) is not there, and kernels of an earlier start still run: {string.Join(", ", survivors)}. "
            + "They are left running. Put the file back and start Guardian again: then it adopts them. To end them instead, put a file with 'kernels: []' there");
    }
}
