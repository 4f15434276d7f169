using System.Text.Json;
using Frazil.Server.Output;
using Microsoft.AspNetCore.Http;

namespace Frazil.Server.Http;

/// <summary>A request that is answered with an error: <c>{"error":{"code","message","position"?}}</c>.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="code">One word that programs can go by; docs/http.md lists them.</param>
/// <param name="message">What failed, the value seen, what to change.</param>
/// <param name="position">Zero-based character of the SQL, where known.</param>
internal sealed class HttpProblem(int status, string code, string message, int? position = null) : Exception(message)
{
    public int Status { get; } = status;
    public string Code { get; } = code;
    public int? Position { get; } = position;

    public async Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json; charset=utf-8";
        if (Status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, SqlJson.Options))
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("code", Code);
            json.WriteString("message", Message);
            if (Position is { } position)
            {
                json.WriteNumber("position", position);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
