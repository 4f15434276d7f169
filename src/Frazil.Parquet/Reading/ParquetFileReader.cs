using System.Buffers;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using Frazil.Columnar;
using Frazil.Parquet.Metadata;
using Frazil.Parquet.Reading;

namespace Frazil.Parquet;

/// <summary>
/// Reads one Parquet file by row groups, columns and rows into columns in native memory; of each it fetches the bytes it needs. Reads what
/// any usual writer has written. A broken file, however it is broken, ends in an <see cref="InvalidDataException"/>, and what it claims
/// never becomes memory beyond <see cref="ParquetReadOptions.MaxBytes"/>. Any number of reads may be under way at once.
/// </summary>
public sealed class ParquetFileReader
{
    // The footers of most files, so that one read is enough.
    private const int FirstReadBytes = 64 * 1024;

    private readonly IParquetSource source;
    private readonly ParquetReadOptions options;
    private readonly FileFooter footer;
    private readonly IReadOnlyList<ReadColumn> columns;
    private readonly List<(ParquetUnreadableColumn Column, HashSet<int> Ids)> unreadable;

    private ParquetFileReader(IParquetSource source, ParquetReadOptions options, FileFooter footer)
    {
        (this.source, this.options, this.footer) = (source, options, footer);
        var schema = SchemaReader.Read(footer, options);
        columns = schema.Columns;
        HasFieldIds = schema.HasFieldIds;
        unreadable = schema.Unreadable;
        Schema = new(columns.Select(static column => column.ToField()));
        var groups = new List<ParquetRowGroup>(footer.Groups.Count);
        foreach (var group in footer.Groups)
        {
            groups.Add(new(RecordCount, (int)group.Rows, group.Chunks.Count == 0 ? 0 : group.Chunks[0].Start));
            RecordCount += group.Rows;
        }
        RowGroups = groups;
    }

    /// <summary>Columns that can be read, with the file's field ids; where it gives a field none, <see cref="ParquetReadOptions.FieldIdOf"/>
    /// does, or else it is a number above all others.</summary>
    public ColumnFields Schema { get; }

    /// <summary>False where the file has no field ids at all.</summary>
    public bool HasFieldIds { get; }

    /// <summary>Columns with types that there is no column for.</summary>
    public IReadOnlyList<ParquetUnreadableColumn> Unreadable => [.. unreadable.Select(static one => one.Column)];

    public IReadOnlyList<ParquetRowGroup> RowGroups { get; }

    public long RecordCount { get; }

    /// <summary>Key-value metadata of the footer.</summary>
    public IReadOnlyDictionary<string, string> Metadata => footer.Metadata;

    /// <summary>What wrote the file, by its own words.</summary>
    public string CreatedBy => footer.CreatedBy;

    /// <param name="source">The file; stays the caller's, and is read until the last read is done.</param>
    /// <param name="options">What to take and to refuse.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidDataException">It is not a whole Parquet file.</exception>
    /// <exception cref="NotSupportedException">It is encrypted, or its columns are in other files.</exception>
    public static async ValueTask<ParquetFileReader> OpenAsync(
        IParquetSource source, ParquetReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        options ??= new();
        if (source.Length < FileFooter.TrailerBytes + 4)
        {
            throw new InvalidDataException($"{source.Length} bytes are too few for a Parquet file.");
        }
        var tail = new byte[(int)Math.Min(source.Length, FirstReadBytes)];
        await source.ReadAsync(source.Length - tail.Length, tail, cancellationToken).ConfigureAwait(false);
        var length = FileFooter.LengthOf(tail.AsSpan(tail.Length - FileFooter.TrailerBytes), source.Length, options.MaxFooterBytes);
        if (length > tail.Length - FileFooter.TrailerBytes)
        {
            tail = new byte[length + FileFooter.TrailerBytes];
            await source.ReadAsync(source.Length - tail.Length, tail, cancellationToken).ConfigureAwait(false);
        }
        return new(source, options, FileFooter.Parse(tail.AsSpan(tail.Length - FileFooter.TrailerBytes - length, length), source.Length));
    }

    /// <summary>Reads a whole row group.</summary>
    /// <param name="rowGroup">Its place in <see cref="RowGroups"/>.</param>
    /// <param name="fieldIds">Columns and nested fields that are wanted, with everything below them; null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidDataException">The file is broken, or needs more memory than allowed.</exception>
    /// <exception cref="NotSupportedException">A wanted column is in a form that cannot be read.</exception>
    public ValueTask<ParquetRows> ReadAsync(int rowGroup, IReadOnlySet<int>? fieldIds = null, CancellationToken cancellationToken = default)
        => ReadAsync(rowGroup, 0, RowGroups[rowGroup].Rows, fieldIds, cancellationToken);

    /// <summary>Reads some rows of a row group: where the file has an offset index, only the pages that they are in.</summary>
    /// <param name="rowGroup">Its place in <see cref="RowGroups"/>.</param>
    /// <param name="firstRow">The first row, counted from the row group's own first.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="fieldIds">As of the other overload.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<ParquetRows> ReadAsync(
        int rowGroup, int firstRow, int rows, IReadOnlySet<int>? fieldIds, CancellationToken cancellationToken = default)
    {
        var group = RowGroups[rowGroup];
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, group.Rows - firstRow);
        var wanted = Select(fieldIds);
        var budget = new ReadBudget(options.MaxBytes);
        var owned = new List<IDisposable>();
        try
        {
            var leaves = new Dictionary<int, LeafData>();
            foreach (var leaf in wanted.SelectMany(static column => column.Leaves))
            {
                var plan = await PlanAsync(leaf, rowGroup, firstRow, rows, cancellationToken).ConfigureAwait(false);
                var data = new LeafData(leaf, budget);
                owned.Add(data);
                leaves[leaf.Index] = data;
                await ReadLeafAsync(plan, data, budget, firstRow, rows, cancellationToken).ConfigureAwait(false);
            }
            var assembly = new ColumnAssembly(leaves, budget, owned);
            List<ColumnView> views = [.. wanted.Select(column => assembly.Build(column, rows))];
            return new(new(wanted.Select(static column => column.ToField())), views, group.FirstRow + firstRow, rows, owned);
        }
        catch
        {
            owned.ForEach(static buffer => buffer.Dispose());
            throw;
        }
    }

    /// <summary>Reads all row groups, one after the other.</summary>
    public async IAsyncEnumerable<ParquetRows> ReadAllAsync(
        IReadOnlySet<int>? fieldIds = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var group = 0; group < RowGroups.Count; group++)
        {
            yield return await ReadAsync(group, fieldIds, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>False where a row group's Bloom filter says that a value is not in it; true where it may be, or there is no filter.</summary>
    /// <param name="rowGroup">Its place in <see cref="RowGroups"/>.</param>
    /// <param name="fieldId">A leaf column.</param>
    /// <param name="value">The value as Parquet's PLAIN encoding has it, without the length.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidDataException">The filter is broken.</exception>
    public async ValueTask<bool> MayContainAsync(
        int rowGroup, int fieldId, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default)
    {
        const int HeaderBytes = 64;
        var leaf = Select(new HashSet<int> { fieldId }).SelectMany(static column => column.Leaves).FirstOrDefault();
        if (leaf is null || footer.Groups[rowGroup].Chunks[leaf.Index].BloomFilter is var start && start <= 0)
        {
            return true;
        }
        var header = new byte[(int)Math.Clamp(source.Length - start, 0, HeaderBytes)];
        await source.ReadAsync(start, header, cancellationToken).ConfigureAwait(false);
        var size = BloomFilter.ReadHeader(header, out var bytes);
        if (bytes > source.Length - start - size)
        {
            throw new InvalidDataException($"The Bloom filter of column {leaf} lies outside of the file.");
        }
        var bits = new byte[bytes];
        await source.ReadAsync(start + size, bits, cancellationToken).ConfigureAwait(false);
        return new BloomFilter(bits).MayContain(XxHash64.HashToUInt64(value.Span));
    }

    private List<ReadColumn> Select(IReadOnlySet<int>? fieldIds)
    {
        foreach (var (column, ids) in unreadable)
        {
            if (fieldIds is null || ids.Overlaps(fieldIds))
            {
                throw new NotSupportedException(column.Reason);
            }
        }
        return fieldIds is null ? [.. columns] : [.. columns.Select(column => column.Select(fieldIds)).OfType<ReadColumn>()];
    }

    private async ValueTask<ChunkPlan> PlanAsync(ReadLeaf leaf, int rowGroup, long firstRow, long rows, CancellationToken cancellationToken)
    {
        var group = footer.Groups[rowGroup];
        var chunk = group.Chunks[leaf.Index];
        if (leaf.MaxRepetition == 0 && chunk.Entries != group.Rows)
        {
            throw new InvalidDataException($"Column {leaf} has {chunk.Entries} entries in a row group of {group.Rows} rows.");
        }
        if (rows == group.Rows || chunk.OffsetIndex < 0 || chunk.OffsetIndexBytes <= 0)
        {
            return ChunkPlan.Whole(leaf, chunk);
        }
        if (chunk.OffsetIndexBytes > Math.Min(options.MaxFooterBytes, source.Length - chunk.OffsetIndex))
        {
            throw new InvalidDataException($"The offset index of column {leaf} lies outside of the file.");
        }
        var index = new byte[chunk.OffsetIndexBytes];
        await source.ReadAsync(chunk.OffsetIndex, index, cancellationToken).ConfigureAwait(false);
        return ChunkPlan.Of(leaf, chunk, index, firstRow, rows);
    }

    private async ValueTask ReadLeafAsync(
        ChunkPlan plan, LeafData data, ReadBudget budget, long firstRow, long rows, CancellationToken cancellationToken)
    {
        using var reader = new LeafReader(data, plan.Chunk, budget, options);
        reader.Expect(plan.Pages.Length);
        await ReadRangeAsync(reader, plan.Dictionary, budget, cancellationToken).ConfigureAwait(false);
        await ReadRangeAsync(reader, plan.Pages, budget, cancellationToken).ConfigureAwait(false);
        data.Cut(firstRow - plan.FirstRow, rows);
    }

    private async ValueTask ReadRangeAsync(LeafReader reader, FileRange range, ReadBudget budget, CancellationToken cancellationToken)
    {
        if (range.Length == 0)
        {
            return;
        }
        budget.Take(range.Length);
        var bytes = ArrayPool<byte>.Shared.Rent(range.Length);
        try
        {
            await source.ReadAsync(range.Offset, bytes.AsMemory(0, range.Length), cancellationToken).ConfigureAwait(false);
            reader.Read(bytes.AsSpan(0, range.Length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            budget.Return(range.Length);
        }
    }
}
