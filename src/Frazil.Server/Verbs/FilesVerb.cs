using System.CommandLine;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil files</c>: the live data files of a table, with the Kafka positions that they hold.</summary>
internal static class FilesVerb
{
    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var name =
            new Argument<string?>("table") { Description = "namespace.table; all tables when left out", Arity = ArgumentArity.ZeroOrOne };
        var snapshotId = new Option<long?>("--snapshot") { Description = "As of this snapshot; default: the current one", HelpName = "ID" };
        var verb = new Verb("files", "List the data files of a table, with their partition and the Kafka offsets in them.")
        {
            Examples = """
                frazil files shop.user_events
                frazil files shop.user_events --json | jq '[.[].rows] | add'
                """,
        };
        verb.Add(name);
        verb.Add(snapshotId);
        verb.SetAction(async (result, cancellationToken) =>
        {
            await using var catalog = await CatalogReader.OpenAsync(common.Load(result).Catalog, cancellationToken);
            var listing = new Listing("table", "rows", "size", "partition", "kafka partition", "first offset", "last offset", "path");
            foreach (var table in await catalog.LoadAsync(result.GetValue(name), cancellationToken))
            {
                var snapshot = Choose(table, result.GetValue(snapshotId));
                if (snapshot is not null)
                {
                    await ListAsync(listing, catalog, table, snapshot, cancellationToken);
                }
            }
            listing.Write(terminal, result.GetValue(common.Json));
            return ExitCode.Done;
        });
        return verb;
    }

    private static Snapshot? Choose(LoadedTable table, long? wanted)
        => wanted is not { } id ? table.Metadata.CurrentSnapshot : table.Metadata.SnapshotById(id)
            ?? throw new VerbException(
                $"{table.Identifier} has no snapshot {id} (any more); `frazil snapshots {table.Identifier}` lists them");

    private static async Task ListAsync(
        Listing listing, CatalogReader catalog, LoadedTable table, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var metadata = table.Metadata;
        foreach (var entry in await new ManifestCache(table.FileIO).ReadLiveAsync(snapshot, metadata, cancellationToken))
        {
            if (entry.File.Content == FileContent.Data)
            {
                var file = entry.File;
                var spec = metadata.SpecById(file.SpecId) ?? metadata.DefaultSpec;
                listing.Add(
                    table.Identifier.ToString(),
                    file.RecordCount,
                    new Bytes(file.FileSizeBytes),
                    PartitionPath.Of(spec, metadata.CurrentSchema, file.Partition),
                    Bound(file.LowerBounds, metadata.CurrentSchema, "kafka_partition"),
                    Bound(file.LowerBounds, metadata.CurrentSchema, "kafka_offset"),
                    Bound(file.UpperBounds, metadata.CurrentSchema, "kafka_offset"),
                    CatalogReader.Shown(table, file.Path));
            }
        }
    }

    /// <summary>A bound of a column of whole numbers; null where the file or the table has none.</summary>
    private static long? Bound(FieldMap<byte[]>? bounds, Schema schema, string column)
        => bounds is not null && schema.FindField(column) is { Type: PrimitiveType type } field
            && bounds.TryGetValue(field.Id, out var bytes)
            ? SingleValue.Deserialize(type, bytes).AsLong()
            : null;
}
