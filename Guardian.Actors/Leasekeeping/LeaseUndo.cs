using System.Text.Json.Serialization;

namespace Guardian.Actors.Leasekeeping;

/// <summary>
/// How an effect on the operating system is taken back. Each can be carried out again without harm, and counts as done where
/// what it is about is gone.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ResumeProcess), "resume")]
[JsonDerivedType(typeof(KillProcess), "kill")]
[JsonDerivedType(typeof(ReniceProcess), "renice")]
[JsonDerivedType(typeof(RestoreFile), "restore")]
[JsonDerivedType(typeof(DeletePath), "delete")]
[JsonDerivedType(typeof(Unmount), "unmount")]
[JsonDerivedType(typeof(ClearImmutable), "mutable")]
[JsonDerivedType(typeof(KillKernels), "kill_kernels")]
[JsonDerivedType(typeof(CallLoopback), "call")]
[JsonDerivedType(typeof(DropDatabase), "drop-database")]
internal abstract record LeaseUndo;

/// <summary>SIGCONT.</summary>
internal sealed record ResumeProcess(ProcessIdentity Process) : LeaseUndo;

/// <summary>SIGKILL to a process that this node started itself, such as a burner; any other is refused when the lease is taken.</summary>
internal sealed record KillProcess(ProcessIdentity Process) : LeaseUndo;

/// <summary>SIGKILL to the processes of a dead node's kernels, and the end of their control groups. A segment of its path must begin with <c>guardian</c>.</summary>
internal sealed record KillKernels(string DataDirectory) : LeaseUndo;

/// <summary>Sets the nice value of all its threads. Below the present value this needs root; refused without.</summary>
/// <param name="Process">Which.</param>
/// <param name="Nice">-20 to 19.</param>
internal sealed record ReniceProcess(ProcessIdentity Process, int Nice) : LeaseUndo;

/// <summary>Writes the content back, e.g. of a cgroup's <c>cpu.max</c>. The file must exist when the lease is taken; it is never created.</summary>
internal sealed record RestoreFile(string Path, string Content) : LeaseUndo;

/// <summary>Deletes a file or a folder with all in it; a cgroup and those below it. A segment of its path must begin with <c>guardian</c>.</summary>
internal sealed record DeletePath(string Path) : LeaseUndo;

/// <summary>Unmounts, also where files are open in it. A segment of its path must begin with <c>guardian</c>.</summary>
internal sealed record Unmount(string Path) : LeaseUndo;

/// <summary>Takes a file's immutable flag off, which needs root.</summary>
internal sealed record ClearImmutable(string Path) : LeaseUndo;

/// <summary>An HTTP call to a loopback address that withdraws something. 2xx, 404 and 410 are done, and so is a refused connection: who held it is gone.</summary>
/// <param name="Method">DELETE or POST.</param>
/// <param name="Url">Loopback only.</param>
/// <param name="KeyFile">A file with the bearer key, so that the key itself is never stored here; null: none.</param>
internal sealed record CallLoopback(string Method, Uri Url, string? KeyFile = null) : LeaseUndo;

/// <summary>Drops a PostgreSQL database, also while somebody is connected to it. Its name must begin with <c>guardian_chaos_</c>.</summary>
/// <param name="Name">Small letters, digits and underscores.</param>
/// <param name="ConnectionFile">A file with the server's connection string, so that a password is never stored here.</param>
internal sealed record DropDatabase(string Name, string ConnectionFile) : LeaseUndo;
