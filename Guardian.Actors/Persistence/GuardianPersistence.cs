using System.Collections.Immutable;
using System.Text.Json;
using Akka.Configuration;
using Guardian.Actors.Hosting;

namespace Guardian.Actors.Persistence;

/// <summary>
/// Guardian's own journal, snapshot store and read journal under names of their own, in tables of their own, so that an
/// embedding application keeps its default plug-ins and may even share the database.
/// </summary>
internal static class GuardianPersistence
{
    /// <summary>For <c>JournalPluginId</c>.</summary>
    public const string JournalId = "guardian.journal";

    /// <summary>For <c>SnapshotPluginId</c>.</summary>
    public const string SnapshotsId = "guardian.snapshots";

    /// <summary>For <c>ReadJournalFor</c>.</summary>
    public const string QueryId = "guardian.query";

    /// <summary>Where the read journal knows how far the journal has grown.</summary>
    public const string SequencePath = $"/system/{QueryId}-guardian_journal-akka-persistence-sql-sequence-actor";

    /// <summary>Every event of Guardian carries it.</summary>
    public const string Tag = "guardian";

    /// <summary>The value of <see cref="Tag"/> for <c>new Tagged(event, Tags)</c>.</summary>
    public static readonly IImmutableSet<string> Tags = ImmutableHashSet.Create(Tag);

    /// <summary>An event as it is persisted: with the tag that the read model follows.</summary>
    public static Akka.Persistence.Journal.Tagged Tagged(object e) => new(e, Tags);

    /// <summary>The sections <see cref="JournalId"/>, <see cref="SnapshotsId"/> and <see cref="QueryId"/>; everything they do not name comes from the plug-in's own defaults.</summary>
    /// <param name="provider"><c>sqlite</c> or <c>postgres</c>.</param>
    /// <param name="connectionString">Empty with sqlite: files in <paramref name="dataDirectory"/>.</param>
    /// <param name="dataDirectory">The node's folder.</param>
    /// <exception cref="ArgumentException">Unknown provider, or postgres without connection string.</exception>
    public static Config Hocon(string provider, string connectionString, string dataDirectory)
    {
        var database = JournalDatabase.From(provider, connectionString, dataDirectory);
        var sqlite = database.IsSqlite;
        var name = sqlite ? "SQLite.MS" : "PostgreSQL.15";
        // A gap in the order of rows may be a transaction that is still open: with many writers wait longer before passing it.
        var patience = sqlite ? 10 : 25;
        // Microsoft.Data.Sqlite begins any other transaction with the write lock and then looks for it every 150 ms: recoveries would wait
        // for writers and stop them. This one begins deferred; without a shared cache it still reads a consistent snapshot.
        var reads = sqlite ? "read-uncommitted" : "unspecified";
        // The snapshot store's breaker never opens: while it is half open Akka loses the loads that it refuses, and each recovery that
        // asked would wait 30 s for its answer. A load fails by itself at its call-timeout, and the journal's breaker guards the database.
        // The projection asks the read journal's sequence how far the journal has grown, and reads as soon as it has; the refresh is for a
        // sequence that does not say. Each query keeps a core for a few milliseconds: a dozen a second were a hundredth of a small node's time.
        return ConfigurationFactory.ParseString($$"""
            {{JournalId}} {
              class = "Akka.Persistence.Sql.Journal.SqlWriteJournal, Akka.Persistence.Sql"
              plugin-id = "{{JournalId}}"
              plugin-dispatcher = "akka.persistence.dispatchers.default-plugin-dispatcher"
              connection-string = {{Quoted(database.Journal)}}
              provider-name = "{{name}}"
              read-isolation-level = {{reads}}
              parallelism = {{(sqlite ? 1 : 4)}}
              tag-write-mode = TagTable
              circuit-breaker { max-failures = 5, call-timeout = 5s, reset-timeout = 2s }
              default {{Tables}}
            }
            {{SnapshotsId}} {
              class = "Akka.Persistence.Sql.Snapshot.SqlSnapshotStore, Akka.Persistence.Sql"
              plugin-id = "{{SnapshotsId}}"
              plugin-dispatcher = "akka.persistence.dispatchers.default-plugin-dispatcher"
              connection-string = {{Quoted(database.Snapshots)}}
              provider-name = "{{name}}"
              read-isolation-level = {{reads}}
              circuit-breaker { max-failures = {{int.MaxValue}}, call-timeout = 5s, reset-timeout = 2s }
              default.snapshot.table-name = "guardian_snapshot"
            }
            {{QueryId}} {
              class = "Akka.Persistence.Sql.Query.SqlReadJournalProvider, Akka.Persistence.Sql"
              plugin-id = "{{QueryId}}"
              write-plugin = "{{JournalId}}"
              connection-string = {{Quoted(database.Journal)}}
              provider-name = "{{name}}"
              read-isolation-level = {{reads}}
              parallelism = 1
              tag-read-mode = TagTable
              refresh-interval = 2s
              journal-sequence-retrieval { query-delay = 250ms, max-backoff-query-delay = 2s, max-tries = {{patience}}, ask-timeout = 5s }
              default {{Tables}}
            }
            """);
    }

    /// <inheritdoc cref="Hocon(string, string, string)"/>
    public static Config Hocon(PersistenceOptions options, string dataDirectory) => Hocon(options.Provider, options.ConnectionString, dataDirectory);

    // The read journal names an actor after its table: its own names also keep two read journals in one system apart.
    private const string Tables = """
        {
                journal.table-name = "guardian_journal"
                metadata.table-name = "guardian_journal_metadata"
                tag.table-name = "guardian_tags"
              }
        """;

    private static string Quoted(string text) => JsonSerializer.Serialize(text, ProjectionJson.Default.String);
}
