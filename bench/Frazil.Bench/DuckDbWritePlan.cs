using System.Globalization;
using System.Text;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Parquet;

namespace Frazil.Bench;

/// <summary>A request checked and put into the names that SQL can say, with bounds that keep the writing of it within its share of
/// memory.</summary>
/// <param name="Memory">Bytes that DuckDB has for this file.</param>
internal sealed record DuckDbWritePlan(
    string Path, ColumnFields Schema, IReadOnlyList<BatchSlice> Slices, long RecordCount, DataFileRequest Request, long Memory)
{
    private const long RowGroupBytes = 64L << 20;

    /// <summary>A row group is held twice: as rows, and as the pages made of them.</summary>
    private const int RowGroupShare = 4;

    /// <summary>Dictionaries of all columns are allocated at once, as large as they may become.</summary>
    private const int DictionaryShare = 4;

    // Beyond it DuckDB would hash every value of a column that has no repeats; measured best between 5,000 and 8,000.
    private const int MostDictionaryEntries = 8000;
    private const int BytesPerDictionaryEntry = 100;
    private const long MostDictionaryBytes = 1L << 20; // DuckDB's own limit for a column

    // DuckDB rounds row groups to its vectors.
    private const int DuckDbVectorRows = 2048;

    /// <exception cref="DataFileException">The request cannot become a Parquet file.</exception>
    public static DuckDbWritePlan Create(DataFileRequest request, long memory)
    {
        var rows = request.Slices.Sum(slice => slice.Count);
        if (rows == 0)
        {
            throw new DataFileException($"{request.Location} would have no rows; a data file needs one at least.");
        }
        var schema = SqlNames.Apply(request.Schema);
        if (schema.Count == 0)
        {
            throw new DataFileException($"{request.Location} would have no columns; a data file needs one at least.");
        }
        RefuseFixed(schema);
        return new DuckDbWritePlan(request.Location, schema, request.Slices, rows, request, memory);
    }

    /// <summary>Smallest row groups and no dictionaries: larger, and written with the least memory.</summary>
    public bool IsThrifty { get; init; }

    /// <summary>Columns that hold values, nested ones included.</summary>
    public int Leaves { get; } = CountLeaves(Schema);

    /// <summary>The statement that writes what the scan under <paramref name="handle"/> yields.</summary>
    public string CopyStatement(long handle)
    {
        var sql = new StringBuilder();
        var options = Request.Options;
        sql.Append(CultureInfo.InvariantCulture, $"COPY (SELECT * FROM {ColumnScans.FunctionName}({handle})) TO {SqlText.Literal(Path)} ");
        // Its Bloom filters are wrong for bytes and for zeros, and other readers believe them.
        sql.Append(CultureInfo.InvariantCulture, $"(FORMAT parquet, USE_TMP_FILE false, WRITE_BLOOM_FILTER false, {CompressionOf(options)}, ");
        sql.Append(CultureInfo.InvariantCulture, $"ROW_GROUP_SIZE {RowGroupRows()}, ");
        sql.Append(CultureInfo.InvariantCulture, $"DICTIONARY_SIZE_LIMIT {DictionaryEntries()}, ");
        sql.Append(CultureInfo.InvariantCulture, $"STRING_DICTIONARY_PAGE_SIZE_LIMIT {DictionaryBytes()}, FIELD_IDS ");
        AppendFieldIds(sql, Schema, null);
        if (Request.KeyValueMetadata.Count > 0)
        {
            var pairs = Request.KeyValueMetadata.Select(pair => $"{SqlText.Literal(pair.Key)}: {SqlText.Literal(pair.Value)}");
            sql.Append(CultureInfo.InvariantCulture, $", KV_METADATA {{{string.Join(", ", pairs)}}}");
        }
        return sql.Append(')').ToString();
    }

    private static string CompressionOf(DataFileOptions options) => options.Codec switch
    {
        ParquetCodec.Zstd => string.Create(CultureInfo.InvariantCulture, $"COMPRESSION zstd, COMPRESSION_LEVEL {options.ZstdLevel}"),
        ParquetCodec.Lz4Raw => "COMPRESSION lz4_raw",
        var codec => $"COMPRESSION {codec.ToString().ToLowerInvariant()}",
    };

    private static void AppendFieldIds(StringBuilder sql, ColumnFields fields, int? ownId)
    {
        sql.Append('{');
        var separator = "";
        if (ownId is { } id)
        {
            sql.Append(CultureInfo.InvariantCulture, $"__duckdb_field_id: {id}");
            separator = ", ";
        }
        foreach (var field in fields)
        {
            sql.Append(separator).Append(SqlText.Literal(field.Name)).Append(": ");
            if (field.Type.Fields.Count == 0)
            {
                sql.Append(CultureInfo.InvariantCulture, $"{field.FieldId}");
            }
            else
            {
                AppendFieldIds(sql, Named(field.Type), field.FieldId);
            }
            separator = ", ";
        }
        sql.Append('}');
    }

    /// <summary>As many as asked for, but fewer of large rows: a row group is buffered whole.</summary>
    private int RowGroupRows()
    {
        if (IsThrifty)
        {
            return DuckDbVectorRows;
        }
        var bytesPerRow = Math.Max(1, Slices.Sum(slice => DataFileFormat.BytesPerRow(slice.Columns) * slice.Count) / RecordCount);
        var bytes = Math.Min(RowGroupBytes, Memory / RowGroupShare);
        return (int)Math.Clamp(bytes / bytesPerRow, DuckDbVectorRows, Math.Max(DuckDbVectorRows, Request.Options.RowGroupRows));
    }

    private long DictionaryEntries()
        => IsThrifty ? 1 : Math.Clamp(Memory / DictionaryShare / BytesPerDictionaryEntry / Leaves, 1, MostDictionaryEntries);

    private long DictionaryBytes() => IsThrifty ? 1 : Math.Clamp(Memory / DictionaryShare / Leaves, 1, MostDictionaryBytes);

    private static int CountLeaves(ColumnFields fields)
        => fields.Sum(static field => field.Type.Fields.Count == 0 ? 1 : CountLeaves(field.Type.Fields));


    // Whatever the schema calls them, DuckDB's own names are these.
    private static ColumnFields Named(ColumnType type) => type.Kind switch
    {
        ColumnKind.List => new([type.Fields[0] with { Name = "element" }]),
        ColumnKind.Map => new([type.Fields[0] with { Name = "key" }, type.Fields[1] with { Name = "value" }]),
        _ => type.Fields,
    };

    private static void RefuseFixed(ColumnFields fields)
    {
        foreach (var field in fields)
        {
            if (field.Type.Kind == ColumnKind.FixedBinary)
            {
                throw new DataFileException(
                    $"Column '{field.Name}' (field {field.FieldId}) is {field.Type}, which this Parquet writer cannot write. Declare the column as binary.");
            }
            RefuseFixed(field.Type.Fields);
        }
    }
}
