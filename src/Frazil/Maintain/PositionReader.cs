using System.Runtime.CompilerServices;
using System.Text;
using Frazil.Columnar;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Parquet;

namespace Frazil.Maintain;

/// <summary>
/// Reads where the rows of data files stand in Kafka, and no other column of them, by ranges from the table's store. Columns are found by
/// field id, or by name in a file that has no ids; one that a file does not have is null in all of its rows. Thread-safe.
/// </summary>
internal sealed class PositionReader(IFileIO store, Schema schema)
{
    private readonly int partition = IdOf(schema, KafkaColumns.Partition);
    private readonly int offset = IdOf(schema, KafkaColumns.Offset);
    private readonly int topic = IdOf(schema, KafkaColumns.Topic);

    /// <summary>Hands over the positions of all rows, a row group at a time, in file order. They are good within the call.</summary>
    /// <exception cref="UnreadableFileException">The file is gone, harmed, or of a form that cannot be read.</exception>
    /// <exception cref="IOException">The store does not answer.</exception>
    public async Task VisitAsync(DataFile file, Action<RowPositions> visit, CancellationToken cancellationToken)
    {
        if (file.Format != FileFormat.Parquet)
        {
            throw new UnreadableFileException(file.Path, $"it is {file.Format}, which cannot be read here", null);
        }
        var reader = await GuardAsync(file, () => ParquetFileReader.OpenAsync(
            new StoredFileSource(store, file.Path, file.FileSizeBytes), new() { FieldIdOf = IdOf }, cancellationToken));
        var ids = new HashSet<int> { partition, offset, topic };
        for (var group = 0; group < reader.RowGroups.Count; group++)
        {
            var number = group;
            using var rows = await GuardAsync(file, () => reader.ReadAsync(number, ids, cancellationToken));
            visit(ToPositions(rows, file));
        }
    }

    /// <summary>Offsets of the file's rows that are in the range, in file order.</summary>
    /// <inheritdoc cref="VisitAsync"/>
    public async Task VisitOffsetsAsync(DataFile file, KafkaRange range, Action<long> visit, CancellationToken cancellationToken)
    {
        var name = range.Topic is null ? null : Encoding.UTF8.GetBytes(range.Topic);
        await VisitAsync(file, rows =>
        {
            for (var row = 0; row < rows.Count; row++)
            {
                if (rows.TryGet(row, out var number, out var rowOffset) && number == range.Partition && range.Contains(rowOffset)
                    && (name is null || rows.TopicOf(row).SequenceEqual(name)))
                {
                    visit(rowOffset);
                }
            }
        }, cancellationToken);
    }

    private RowPositions ToPositions(ParquetRows rows, DataFile file) => new(
        rows.Count, Column(rows, file, partition, IsInteger), Column(rows, file, offset, IsInteger),
        Column(rows, file, topic, static kind => kind == ColumnKind.Utf8));

    private static bool IsInteger(ColumnKind kind) => kind is ColumnKind.Int32 or ColumnKind.Int64;

    private static ColumnView? Column(ParquetRows rows, DataFile file, int fieldId, Func<ColumnKind, bool> isOfKind)
    {
        for (var index = 0; index < rows.Schema.Count; index++)
        {
            if (rows.Schema[index].FieldId == fieldId)
            {
                return isOfKind(rows.Schema[index].Type.Kind)
                    ? rows.Columns[index]
                    : throw new UnreadableFileException(file.Path, $"its column {rows.Schema[index]} is no Kafka position", null);
            }
        }
        return null;
    }

    private static async ValueTask<T> GuardAsync<T>(DataFile file, Func<ValueTask<T>> readAsync)
    {
        try
        {
            return await readAsync();
        }
        catch (Exception failure) when (failure is InvalidDataException or NotSupportedException or EndOfStreamException
            or FileNotFoundException or UnauthorizedAccessException)
        {
            throw new UnreadableFileException(file.Path, failure.Message, failure);
        }
    }

    /// <summary>No field has the id 0.</summary>
    private static int IdOf(Schema schema, string column) => schema.FindField(column)?.Id ?? 0;

    private int? IdOf(IReadOnlyList<string> path) => path is [var name] && schema.FindField(name) is { } field ? field.Id : null;
}

/// <summary>Where some rows stand in Kafka.</summary>
internal sealed unsafe class RowPositions(int count, ColumnView? partition, ColumnView? offset, ColumnView? topic)
{
    public int Count => count;

    /// <returns>False where the row carries no position.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGet(int row, out long partitionNumber, out long rowOffset)
    {
        if (partition is null || offset is null || partition.IsNull(row) || offset.IsNull(row))
        {
            partitionNumber = rowOffset = -1;
            return false;
        }
        partitionNumber = Integer(partition, row);
        rowOffset = Integer(offset, row);
        return true;
    }

    /// <summary>The topic's name in UTF-8; empty where the row does not say it.</summary>
    public ReadOnlySpan<byte> TopicOf(int row) => topic is null || topic.IsNull(row)
        ? default
        : new(topic.Values + topic.Offsets[row], topic.Offsets[row + 1] - topic.Offsets[row]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Integer(ColumnView column, int row)
        => column.Type.Kind == ColumnKind.Int64 ? ((long*)column.Values)[row] : ((int*)column.Values)[row];
}

/// <summary>A data file that cannot be read as it is.</summary>
/// <param name="location">The file.</param>
/// <param name="reason">Why, as the rest of a sentence.</param>
/// <param name="inner">What said so.</param>
internal sealed class UnreadableFileException(string location, string reason, Exception? inner)
    : IOException($"The data file {location} cannot be read: {reason}", inner)
{
    public string Reason => reason;
}
