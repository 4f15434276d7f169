using System.CommandLine;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil snapshots</c>: the commits of a table, oldest first.</summary>
internal static class SnapshotsVerb
{
    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var name =
            new Argument<string?>("table") { Description = "namespace.table; all tables when left out", Arity = ArgumentArity.ZeroOrOne };
        var verb = new Verb("snapshots", "List the snapshots (commits) of a table, oldest first; * marks the current one.")
        {
            Examples = """
                frazil snapshots shop.user_events
                frazil snapshots --json
                """,
        };
        verb.Add(name);
        verb.SetAction(async (result, cancellationToken) =>
        {
            await using var catalog = await CatalogReader.OpenAsync(common.Load(result).Catalog, cancellationToken);
            var listing = new Listing(
                "table", "snapshot id", "current", "committed at", "operation", "added rows", "total rows", "added files", "flush id");
            foreach (var table in await catalog.LoadAsync(result.GetValue(name), cancellationToken))
            {
                foreach (var snapshot in table.Metadata.Snapshots)
                {
                    listing.Add(
                        table.Identifier.ToString(),
                        snapshot.SnapshotId,
                        snapshot.SnapshotId == table.Metadata.CurrentSnapshotId ? "*" : "",
                        CatalogReader.At(snapshot.TimestampMs),
                        snapshot.Operation,
                        CatalogReader.Count(snapshot, "added-records") ?? 0,
                        CatalogReader.Count(snapshot, "total-records"),
                        CatalogReader.Count(snapshot, "added-data-files") ?? 0,
                        snapshot.Summary.GetValueOrDefault("frazil.flush-id"));
                }
            }
            listing.Write(terminal, result.GetValue(common.Json));
            return ExitCode.Done;
        });
        return verb;
    }
}
