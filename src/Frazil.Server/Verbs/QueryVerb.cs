using System.CommandLine;
using System.Text.Json;
using Frazil.Config;
using Frazil.Query;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil query</c>: asks the running server, or the catalog alone where none runs.</summary>
internal static class QueryVerb
{
    private const string Help = """
        Run one SELECT (DuckDB's dialect) and print its rows.
        Asks the server of the configuration when it runs: hot and committed rows. Else reads the catalog: committed
        rows only, which standard error says.
        """;

    private enum Style
    {
        Table,
        Json,
        Csv,
        NdJson,
    }

    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var sql = new Argument<string>("sql") { Description = "The statement, or - to read it from standard input" };
        var csv = new Option<bool>("--csv") { Description = "Write CSV with a header" };
        var ndjson = new Option<bool>("--ndjson") { Description = "Write one JSON object a row" };
        var timeout = new Option<double>("--timeout")
        {
            Description = "Seconds after which to give up",
            DefaultValueFactory = _ => 60,
            HelpName = "SECONDS",
        };
        var verb = new Verb("query", Help)
        {
            Examples = """
                frazil query "select count(*) from shop.user_events"
                frazil query "select * from shop.user_events limit 5" --json
                frazil query --csv - < report.sql > report.csv
                """,
        };
        verb.Add(sql);
        Array.ForEach<Option>([csv, ndjson, timeout], verb.Add);
        verb.Validators.Add(result =>
        {
            Option<bool>[] asked = [.. new[] { csv, ndjson, common.Json }.Where(result.GetValue)];
            if (asked.Length > 1)
            {
                result.AddError($"{string.Join(" and ", asked.Select(static option => option.Name))} exclude each other; give one of them");
            }
        });
        verb.SetAction((result, cancellationToken) =>
        {
            var style = result.GetValue(csv)
                ? Style.Csv
                : result.GetValue(ndjson)
                ? Style.NdJson
                : result.GetValue(common.Json)
                ? Style.Json
                : Style.Table;
            var seconds = result.GetValue(timeout);
            if (!(seconds is > 0 and <= 3600))
            {
                throw new VerbException($"--timeout is {seconds}; allowed are more than 0 and at most 3600 seconds", ExitCode.BadUsage);
            }
            var request = new SqlRequest(ReadSql(result.GetRequiredValue(sql)), Timeout: TimeSpan.FromSeconds(seconds));
            return RunAsync(common.Load(result), request, style, terminal, cancellationToken);
        });
        return verb;
    }

    private static string ReadSql(string argument)
    {
        var text = argument == "-" ? Console.In.ReadToEnd() : argument;
        return string.IsNullOrWhiteSpace(text) ? throw new VerbException("the statement is empty", ExitCode.BadUsage) : text;
    }

    private static async Task<int> RunAsync(
        FrazilOptions options, SqlRequest request, Style style, Terminal terminal, CancellationToken cancellationToken)
    {
        using var signals = new StopSignals(_ => { }, cancellationToken);
        try
        {
            var answer = await AskAsync(options, request, terminal, signals.Token);
            using var document = JsonDocument.Parse(answer);
            Write(document.RootElement, answer, style, terminal);
            return ExitCode.Done;
        }
        catch (SqlException exception)
        {
            terminal.Error.WriteLine($"frazil: {Point(request.Sql, exception)}");
            return ExitCode.Failed;
        }
    }

    private static async Task<byte[]> AskAsync(
        FrazilOptions options, SqlRequest request, Terminal terminal, CancellationToken cancellationToken)
    {
        using var server = ServerClient.For(options.Server);
        if (server is not null && await server.IsThereAsync(cancellationToken))
        {
            return await server.QueryAsync(request, cancellationToken);
        }
        var why = server is null ? "server.http is empty" : $"no Frazil answers at {options.Server.Http}";
        terminal.Error.WriteLine($"{why}: reading the catalog alone, so rows that are not committed yet are missing");
        await using var session = await SqlSession.OpenCatalogAsync(options, null, cancellationToken);
        return SqlJson.ToBytes(await session.QueryAsync(request, cancellationToken));
    }

    private static void Write(JsonElement answer, byte[] bytes, Style style, Terminal terminal)
    {
        switch (style)
        {
            case Style.Json:
                terminal.Output.WriteLine(System.Text.Encoding.UTF8.GetString(bytes));
                break;
            case Style.Csv:
                var csv = ResultSet.FromJson(answer);
                terminal.Output.Write(RowText.CsvLine(csv.Columns.Select(column => column.Name)));
                foreach (var row in csv.Rows)
                {
                    terminal.Output.Write(RowText.CsvLine(row));
                }
                break;
            case Style.NdJson:
                WriteNdJson(answer, terminal);
                break;
            default:
                WriteTable(answer, terminal);
                break;
        }
    }

    private static void WriteNdJson(JsonElement answer, Terminal terminal)
    {
        var names = RowText.DistinctNames(
            answer.GetProperty("columns").EnumerateArray().Select(column => column.GetProperty("name").GetString() ?? ""));
        foreach (var row in answer.GetProperty("rows").EnumerateArray())
        {
            using var buffer = new MemoryStream();
            using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
            {
                json.WriteStartObject();
                var column = 0;
                foreach (var value in row.EnumerateArray())
                {
                    json.WritePropertyName(names[column++]);
                    value.WriteTo(json);
                }
                json.WriteEndObject();
            }
            terminal.Output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
        }
    }

    private static void WriteTable(JsonElement answer, Terminal terminal)
    {
        var result = ResultSet.FromJson(answer);
        terminal.Output.Write(TextTable.Format(result, terminal.IsInteractive ? terminal.Width : int.MaxValue));
        var scan = answer.GetProperty("scan");
        var rows = $"{result.Rows.Count} row{(result.Rows.Count == 1 ? "" : "s")}";
        terminal.Error.WriteLine($"({rows}, {answer.GetProperty("elapsed_ms").GetRawText()} ms, {scan.GetProperty("files_scanned").GetRawText()} of "
            + $"{scan.GetProperty("files_total").GetRawText()} files, {scan.GetProperty("hot_rows").GetRawText()} hot rows)");
    }

    /// <summary>The message and, where the position is known, the line of the statement with a mark below the place.</summary>
    internal static string Point(string sql, SqlException exception)
    {
        if (exception.Position is not { } position || position < 0 || position > sql.Length)
        {
            return exception.Message;
        }
        var start = position == 0 ? 0 : sql.LastIndexOf('\n', position - 1) + 1;
        var end = sql.IndexOf('\n', position);
        var line = end < 0 ? sql[start..] : sql[start..end];
        return $"{exception.Message}\n  {line.Replace('\t', ' ')}\n  {new string(' ', position - start)}^";
    }
}
