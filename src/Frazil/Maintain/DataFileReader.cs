using Frazil.Cold;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;

namespace Frazil.Maintain;

/// <summary>
/// Reads data files as rows of the table's schema of today, whatever schema they were written under: columns are found by field id. On a
/// DuckDB of its own, so that neither queries nor flushes share its memory. Dispose frees it. Thread-safe.
/// </summary>
internal sealed class DataFileReader : IDisposable
{
    private readonly DuckDbInstance duck;
    private readonly FileColumns columns = new();

    public DataFileReader()
    {
        duck = DuckDbInstance.Open(new Dictionary<string, string>
        {
            ["threads"] = "1", // rows stay in the order of the file
            ["memory_limit"] = "512MiB",
            ["temp_directory"] = "",
            ["autoinstall_known_extensions"] = "false",
            ["autoload_known_extensions"] = "false",
        });
    }

    public void Dispose() => duck.Dispose();

    /// <summary>Hands over the file's rows, up to 2048 at a time: the columns of <paramref name="columns"/>, then each row's offset in the
    /// range's partition, or -1.</summary>
    /// <param name="columns">The table's columns in SQL's names (<see cref="SqlNames"/>).</param>
    public async Task VisitRowsAsync(
        DataFile file, LoadedTable table, KafkaRange? range, ColumnFields columns, Func<DuckDbChunk, Task> visit,
        CancellationToken cancellationToken)
    {
        using var local = await LocalCopy.OfAsync(table.FileIO, file.Path, cancellationToken);
        var names = string.Join(", ", columns.Select(static column => SqlText.Identifier(column.Name)));
        var offset = range?.OffsetExpression(table.Metadata.CurrentSchema) ?? "CAST(-1 AS BIGINT)";
        await RunAsync($"SELECT {names}, CAST({offset} AS BIGINT) FROM ({ViewOf(file, local, table.Metadata)})", visit, cancellationToken);
    }

    private async Task RunAsync(string sql, Func<DuckDbChunk, Task> visit, CancellationToken cancellationToken)
    {
        using var connection = duck.Connect();
        using var rows = connection.Stream(sql, cancellationToken);
        while (rows.NextChunk() is { } chunk)
        {
            using (chunk)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await visit(chunk);
            }
        }
    }

    private string ViewOf(DataFile file, LocalCopy local, TableMetadata metadata)
    {
        var schema = SqlNames.Apply(ColumnSchemas.FromIceberg(metadata.CurrentSchema.Fields));
        var input = SnapshotFiles.ToInput(file, metadata, local.Path);
        return TableViewText.Write(
            new(metadata.Location, schema, ColumnDefaults.Of(metadata.CurrentSchema), [input]), slot: null, columns);
    }
}
