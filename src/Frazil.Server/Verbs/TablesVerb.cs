using System.CommandLine;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil tables</c>: the catalog's tables, as committed.</summary>
internal static class TablesVerb
{
    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var verb = new Verb("tables", "List the tables of the catalog: committed rows, files, size, last commit.")
        {
            Examples = """
                frazil tables
                frazil tables --json
                """,
        };
        verb.SetAction(async (result, cancellationToken) =>
        {
            await using var catalog = await CatalogReader.OpenAsync(common.Load(result).Catalog, cancellationToken);
            var listing = new Listing("table", "rows", "files", "size", "snapshots", "last commit", "partitioned by", "location");
            foreach (var table in await catalog.LoadAsync(null, cancellationToken))
            {
                var metadata = table.Metadata;
                var snapshot = metadata.CurrentSnapshot;
                var size = CatalogReader.Count(snapshot, "total-files-size");
                listing.Add(
                    table.Identifier.ToString(),
                    CatalogReader.Count(snapshot, "total-records") ?? 0,
                    CatalogReader.Count(snapshot, "total-data-files") ?? 0,
                    new Bytes(size ?? 0),
                    metadata.Snapshots.Count,
                    snapshot is null ? null : CatalogReader.At(snapshot.TimestampMs),
                    string.Join(", ", metadata.DefaultSpec.Fields.Select(field => field.Name)),
                    CatalogReader.Shown(table, metadata.Location));
            }
            listing.Write(terminal, result.GetValue(common.Json));
            return ExitCode.Done;
        });
        return verb;
    }
}
