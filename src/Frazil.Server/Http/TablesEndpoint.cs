using System.Buffers;
using System.Text;
using System.Text.Json;
using Frazil.Query;
using Frazil.Server.Output;
using Microsoft.AspNetCore.Http;

namespace Frazil.Server.Http;

/// <summary><c>GET /v1/tables</c> and <c>GET /v1/tables/{ns}.{t}</c>: what each table is doing; of one, also its columns.</summary>
internal sealed class TablesEndpoint(ServingState state)
{
    public Task ListAsync(HttpContext context)
    {
        var tables = state.RequireEngine().Tables;
        return WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("tables");
            foreach (var table in tables)
            {
                json.WriteStartObject();
                WriteStatus(json, table);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    public async Task GetAsync(HttpContext context)
    {
        var name = context.Request.RouteValues["table"] as string ?? "";
        var engine = state.RequireEngine();
        var table = engine.Tables.FirstOrDefault(one => one.Name == name)
            ?? throw new HttpProblem(
                StatusCodes.Status404NotFound, "not_found", $"there is no table \"{name}\"; GET /v1/tables lists them");
        var columns = await ReadColumnsAsync(engine, name, context.RequestAborted);
        await WriteAsync(context, json =>
        {
            json.WriteStartObject();
            WriteStatus(json, table);
            json.WriteStartArray("columns");
            foreach (var column in columns)
            {
                json.WriteStartObject();
                json.WriteString("name", column.Name);
                json.WriteString("type", column.Type);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>What <c>/readyz</c> says where tables commit nothing.</summary>
    public static string DegradedText(IReadOnlyList<TableStatus> troubled)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, SqlJson.Options))
        {
            json.WriteStartObject();
            json.WriteString("status", "degraded");
            json.WriteStartArray("tables");
            foreach (var table in troubled)
            {
                json.WriteStartObject();
                json.WriteString("name", table.Name);
                json.WriteString("state", table.State);
                json.WriteString("reason", table.Reason);
                json.WriteNumber("failing_seconds", Math.Round(table.FailingSeconds, 3));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    /// <summary>A table without a first record may have no columns to select yet.</summary>
    private static async Task<IReadOnlyList<SqlColumn>> ReadColumnsAsync(
        FrazilEngine engine, string name, CancellationToken cancellationToken)
    {
        var quoted = string.Join('.', name.Split('.').Select(part => $"\"{part}\""));
        try
        {
            var result = await engine.Sql.QueryAsync(new SqlRequest($"select * from {quoted} limit 0"), cancellationToken);
            return result.Columns;
        }
        catch (SqlException)
        {
            return [];
        }
    }

    private static void WriteStatus(Utf8JsonWriter json, TableStatus table)
    {
        json.WriteString("name", table.Name);
        json.WriteString("topic", table.Topic);
        json.WriteString("state", table.State);
        json.WriteString("reason", table.Reason);
        json.WriteNumber("failing_seconds", Math.Round(table.FailingSeconds, 3));
        json.WriteNumber("partitions", table.Partitions);
        json.WriteNumber("records", table.Records);
        json.WriteNumber("bytes", table.Bytes);
        json.WriteNumber("bad_records", table.BadRecords);
        json.WriteNumber("lag", table.Lag);
        json.WriteNumber("hot_rows", table.HotRows);
        json.WriteNumber("hot_bytes", table.HotBytes);
        json.WriteNumber("flushes", table.Flushes);
        json.WriteNumber("flush_failures", table.FlushFailures);
        json.WriteNumber("commits", table.Commits);
        json.WriteNumber("committed_rows", table.CommittedRows);
        if (table.SnapshotId is { } snapshot)
        {
            json.WriteNumber("snapshot_id", snapshot);
        }
        else
        {
            json.WriteNull("snapshot_id");
        }
    }

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, SqlJson.Options))
        {
            write(json);
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
