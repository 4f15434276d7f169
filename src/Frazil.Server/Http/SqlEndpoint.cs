using Frazil.Query;
using Frazil.Server.Output;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Frazil.Server.Http;

/// <summary><c>POST /v1/sql</c>: one SELECT in, rows out as JSON, CSV, NDJSON or Arrow by <c>Accept</c>. Rows are written while they are
/// computed. An answer that fails after it has begun is cut off: no closing bracket, no end of stream, no last chunk.</summary>
internal sealed class SqlEndpoint(ServingState state)
{
    public async Task HandleAsync(HttpContext context)
    {
        CheckContentType(context.Request.ContentType);
        var format = SqlFormats.Choose(context.Request.Headers.Accept.ToString());
        var request = SqlRequestReader.Read(await ReadBodyAsync(context));
        await AnswerAsync(context, request, format, TimeProvider.System.GetTimestamp());
    }

    private async Task AnswerAsync(HttpContext context, SqlRequest request, SqlFormat format, long start)
    {
        var cancel = context.RequestAborted;
        await using var rows = await state.RequireEngine().Sql.StreamAsync(request, cancel);
        var output = context.Response.BodyWriter;
        await using SqlWriter writer = format switch
        {
            SqlFormat.Csv => new SqlCsvWriter(output, rows),
            SqlFormat.NdJson => new SqlNdJsonWriter(output, rows),
            SqlFormat.Arrow => new SqlArrowWriter(output, rows),
            _ => new SqlJsonWriter(output, rows, start),
        };
        // What can fail fails mostly before the first rows; until they are there the status may still say so.
        var chunk = await rows.ReadAsync(cancel);
        context.Response.ContentType = writer.ContentType;
        await writer.BeginAsync(cancel);
        for (; chunk is not null; chunk = await rows.ReadAsync(cancel))
        {
            using (chunk)
            {
                await writer.WriteAsync(chunk, cancel);
            }
        }
        await writer.EndAsync(cancel);
        await output.FlushAsync(cancel);
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
}
