using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Frazil.DuckDb;
using Frazil.DuckDb.Arrow;
using Frazil.Query;

namespace Frazil.Server.Output;

/// <summary>Writes an answer in one format, chunk by chunk.</summary>
internal abstract class SqlWriter(PipeWriter output) : IAsyncDisposable
{
    protected const int FlushBytes = 1 << 16;
    private readonly List<object?[]> values = [];

    public abstract string ContentType { get; }

    protected PipeWriter Output { get; } = output;

    public virtual Task BeginAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public abstract Task WriteAsync(DuckDbChunk chunk, CancellationToken cancellationToken);

    public virtual Task EndAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The chunk's rows; good until the next call.</summary>
    protected List<object?[]> Read(DuckDbChunk chunk)
    {
        values.Clear();
        chunk.ReadRows(values);
        return values;
    }

    protected async ValueTask FlushIfMuchAsync(CancellationToken cancellationToken)
    {
        if (Output.UnflushedBytes > FlushBytes)
        {
            await Output.FlushAsync(cancellationToken);
        }
    }
}

/// <summary>One object; what is known of the query stands before and after its rows.</summary>
/// <param name="started">Timestamp of <see cref="TimeProvider.System"/>.</param>
internal sealed class SqlJsonWriter(PipeWriter output, SqlStream rows, long started) : SqlWriter(output)
{
    [SuppressMessage("Reliability", "CA2213", Justification = "Disposing flushes what a cut-off answer must not have.")]
    private readonly Utf8JsonWriter json = new(output, SqlJson.Options);
    private long count;

    public override string ContentType => "application/json; charset=utf-8";

    public override Task BeginAsync(CancellationToken cancellationToken)
    {
        SqlJson.WriteHead(json, rows.Columns);
        return Task.CompletedTask;
    }

    public override async Task WriteAsync(DuckDbChunk chunk, CancellationToken cancellationToken)
    {
        foreach (var row in Read(chunk))
        {
            SqlJson.WriteRow(json, row);
            count++;
            if (json.BytesPending + Output.UnflushedBytes > FlushBytes)
            {
                json.Flush();
                await Output.FlushAsync(cancellationToken);
            }
        }
        json.Flush();
    }

    public override Task EndAsync(CancellationToken cancellationToken)
    {
        SqlJson.WriteTail(json, count, TimeProvider.System.GetElapsedTime(started), rows.ReadPoint, rows.Scan);
        json.Flush();
        return Task.CompletedTask;
    }
}

/// <summary>One object a row and line.</summary>
internal sealed class SqlNdJsonWriter(PipeWriter output, SqlStream rows) : SqlWriter(output)
{
    private static readonly byte[] NewLine = "\n"u8.ToArray();
    [SuppressMessage("Reliability", "CA2213", Justification = "Disposing flushes what a cut-off answer must not have.")]
    private readonly Utf8JsonWriter json = new(output, SqlJson.Options);
    private readonly JsonEncodedText[] names = System.Array.ConvertAll(
        RowText.DistinctNames(rows.Columns.Select(static column => column.Name)), static name => JsonEncodedText.Encode(name, SqlJson.Options.Encoder));

    public override string ContentType => "application/x-ndjson";

    public override async Task WriteAsync(DuckDbChunk chunk, CancellationToken cancellationToken)
    {
        foreach (var row in Read(chunk))
        {
            json.WriteStartObject();
            for (var column = 0; column < names.Length; column++)
            {
                json.WritePropertyName(names[column]);
                SqlJson.WriteValue(json, row[column]);
            }
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            Output.Write(NewLine);
            await FlushIfMuchAsync(cancellationToken);
        }
    }
}

internal sealed class SqlCsvWriter(PipeWriter output, SqlStream rows) : SqlWriter(output)
{
    public override string ContentType => "text/csv; charset=utf-8; header=present";

    public override Task BeginAsync(CancellationToken cancellationToken)
    {
        Encoding.UTF8.GetBytes(RowText.CsvLine(rows.Columns.Select(static column => column.Name)), Output);
        return Task.CompletedTask;
    }

    public override async Task WriteAsync(DuckDbChunk chunk, CancellationToken cancellationToken)
    {
        foreach (var row in Read(chunk))
        {
            Encoding.UTF8.GetBytes(RowText.CsvLine(row.Select(RowText.CsvValue)), Output);
            await FlushIfMuchAsync(cancellationToken);
        }
    }
}

/// <summary>An Arrow IPC stream: the schema, a record batch a chunk, the end.</summary>
internal sealed class SqlArrowWriter : SqlWriter
{
    private readonly Schema schema;
    private readonly ArrowStreamWriter arrow;

    /// <exception cref="SqlException">A column has a type that Arrow has not.</exception>
    public SqlArrowWriter(PipeWriter output, SqlStream rows)
        : base(output)
    {
        try
        {
            schema = ArrowSchemas.Of(rows.ColumnTypes);
        }
        catch (DuckDbException failure)
        {
            throw new SqlException(failure.Message, null, failure);
        }
        arrow = new(output.AsStream(leaveOpen: true), schema, leaveOpen: true);
    }

    public override string ContentType => "application/vnd.apache.arrow.stream";

    public override Task BeginAsync(CancellationToken cancellationToken) => arrow.WriteStartAsync(cancellationToken);

    public override async Task WriteAsync(DuckDbChunk chunk, CancellationToken cancellationToken)
    {
        using var batch = ArrowBatches.Of(schema, chunk);
        await arrow.WriteRecordBatchAsync(batch, cancellationToken);
        await FlushIfMuchAsync(cancellationToken);
    }

    public override Task EndAsync(CancellationToken cancellationToken) => arrow.WriteEndAsync(cancellationToken);

    // The library's own end of stream was written where there is one; disposing it writes nothing.
    public override ValueTask DisposeAsync()
    {
        arrow.Dispose();
        return base.DisposeAsync();
    }
}
