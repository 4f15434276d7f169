using Frazil.Columnar;

namespace Frazil.Parquet;

/// <summary>Rows of one row group, as columns in native memory. Whoever reads them disposes them; views of them are good until then.</summary>
public sealed class ParquetRows : IDisposable
{
    private readonly List<IDisposable> owned;

    internal ParquetRows(ColumnFields schema, IReadOnlyList<ColumnView> columns, long firstRow, int count, List<IDisposable> owned)
    {
        (Schema, Columns, FirstRow, Count) = (schema, columns, firstRow, count);
        this.owned = owned;
    }

    /// <summary>What was asked for, as far as the file has it, in the file's own types.</summary>
    public ColumnFields Schema { get; }

    /// <summary>One view a field of <see cref="Schema"/>.</summary>
    public IReadOnlyList<ColumnView> Columns { get; }

    /// <summary>Position of the first row in the file, counted from 0: what position deletes name.</summary>
    public long FirstRow { get; }

    public int Count { get; }

    /// <summary>The rows as scans and writers take them; promotions and absent fields are theirs.</summary>
    public BatchSlice ToSlice() => new() { Schema = Schema, Columns = Columns, Count = Count };

    public void Dispose()
    {
        owned.ForEach(static buffer => buffer.Dispose());
        owned.Clear();
    }
}

/// <summary>One row group of a file.</summary>
/// <param name="FirstRow">Position of its first row in the file.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="Start">Where its first page lies in the file, as split offsets have it.</param>
public readonly record struct ParquetRowGroup(long FirstRow, int Rows, long Start);

/// <summary>A top-level column that cannot be read.</summary>
/// <param name="Name">As the file names it.</param>
/// <param name="FieldId">Null where the file gives none.</param>
/// <param name="Reason">Why.</param>
public sealed record ParquetUnreadableColumn(string Name, int? FieldId, string Reason);
