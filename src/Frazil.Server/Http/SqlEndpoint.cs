using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Frazil.Query;
using Frazil.Server.Output;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Frazil.Server.Http;

/// <summary><c>POST /v1/sql</c>: one SELECT in, rows out as JSON, CSV or NDJSON by <c>Accept</c>.</summary>
internal sealed class SqlEndpoint(ServingState state)
{
    private const int FlushBytes = 1 << 16;
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    public async Task HandleAsync(HttpContext context)
    {
        CheckContentType(context.Request.ContentType);
        var format = SqlFormats.Choose(context.Request.Headers.Accept.ToString());
        var request = SqlRequestReader.Read(await ReadBodyAsync(context));
        var result = await state.RequireEngine().Sql.QueryAsync(request, context.RequestAborted);
        context.Response.ContentType = format switch
        {
            SqlFormat.Csv => "text/csv; charset=utf-8; header=present",
            SqlFormat.NdJson => "application/x-ndjson",
            _ => "application/json; charset=utf-8",
        };
        var writing = format switch
        {
            SqlFormat.Csv => WriteCsvAsync(context.Response.BodyWriter, result, context.RequestAborted),
            SqlFormat.NdJson => WriteNdJsonAsync(context.Response.BodyWriter, result, context.RequestAborted),
            _ => WriteJsonAsync(context.Response.BodyWriter, result, context.RequestAborted),
        };
        await writing;
    }

    /// <summary>Of the types that a web page may send to any address without asking first, this is none.</summary>
    private static void CheckContentType(string? given)
    {
        if (!MediaTypeHeaderValue.TryParse(given, out var type) || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new HttpProblem(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type",
                (given is null ? "the body has no Content-Type" : $"the body's Content-Type is \"{given}\"")
                + "; send application/json (curl: --json '{…}')");
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static async Task WriteJsonAsync(PipeWriter output, SqlResult result, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(output, SqlJson.Options);
        SqlJson.WriteHead(json, result);
        foreach (var row in result.Rows)
        {
            SqlJson.WriteRow(json, row);
            if (json.BytesPending > FlushBytes)
            {
                json.Flush();
                await output.FlushAsync(cancellationToken);
            }
        }
        SqlJson.WriteTail(json, result);
        json.Flush();
        await output.FlushAsync(cancellationToken);
    }

    private static async Task WriteNdJsonAsync(PipeWriter output, SqlResult result, CancellationToken cancellationToken)
    {
        var names = Array.ConvertAll(
            RowText.DistinctNames(result.Columns.Select(column => column.Name)),
            name => JsonEncodedText.Encode(name, SqlJson.Options.Encoder));
        await using var json = new Utf8JsonWriter(output, SqlJson.Options);
        foreach (var row in result.Rows)
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
            output.Write(NewLine);
            if (output.UnflushedBytes > FlushBytes)
            {
                await output.FlushAsync(cancellationToken);
            }
        }
        await output.FlushAsync(cancellationToken);
    }

    private static async Task WriteCsvAsync(PipeWriter output, SqlResult result, CancellationToken cancellationToken)
    {
        Encoding.UTF8.GetBytes(RowText.CsvLine(result.Columns.Select(column => column.Name)), output);
        foreach (var row in result.Rows)
        {
            Encoding.UTF8.GetBytes(RowText.CsvLine(row.Select(RowText.CsvValue)), output);
            if (output.UnflushedBytes > FlushBytes)
            {
                await output.FlushAsync(cancellationToken);
            }
        }
        await output.FlushAsync(cancellationToken);
    }
}
