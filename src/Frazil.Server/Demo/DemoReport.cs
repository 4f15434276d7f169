using System.Globalization;
using System.Text.Json;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;

namespace Frazil.Server.Demo;

/// <summary>How the demo tells what it sees when nobody looks at a screen: a line a second, as text or as JSON.</summary>
internal sealed class DemoReport(Terminal terminal, bool asJson)
{
    public void Say(string text)
    {
        if (!asJson)
        {
            terminal.Output.WriteLine(text);
        }
    }

    public void Sample(DemoSample sample)
    {
        if (asJson)
        {
            WriteJson(json =>
            {
                json.WriteNumber("elapsed_s", Math.Round(sample.Elapsed.TotalSeconds, 2));
                json.WriteNumber("produced", sample.Produced);
                json.WriteNumber("visible_rows", sample.VisibleRows);
                json.WriteNumber("hot_rows", sample.HotRows);
                json.WriteNumber("cold_rows", sample.ColdRows);
                json.WriteNumber("rows_per_second", Math.Round(sample.RowsPerSecond));
                WriteMilliseconds(json, "freshness_ms", sample.Freshness);
                json.WriteNumber("commits", sample.Table.Commits);
            });
            return;
        }
        terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{sample.Elapsed.TotalSeconds,5:0.0} s  {sample.RowsPerSecond,7:#,0} rows/s  fresh {Milliseconds(sample.Freshness),7}  "
            + $"select count(*) = {sample.VisibleRows,9:#,0} = {sample.HotRows,7:#,0} hot + {sample.ColdRows,9:#,0} in Iceberg  {sample.Table.Commits,2} commits"));
    }

    public void Summarize(DemoSummary summary)
    {
        if (asJson)
        {
            WriteJson(json =>
            {
                json.WriteBoolean("ok", summary.IsExact);
                json.WriteNumber("produced", summary.Produced);
                json.WriteNumber("iceberg_rows", summary.IcebergRows);
                json.WriteNumber("distinct_positions", summary.DistinctPositions);
                json.WriteNumber("commits", summary.Commits);
                json.WriteNumber("rows_per_second", Math.Round(summary.RowsPerSecond));
                WriteMilliseconds(json, "freshness_p50_ms", summary.FreshnessP50);
                WriteMilliseconds(json, "freshness_p99_ms", summary.FreshnessP99);
                json.WriteString("folder", summary.Folder.Path);
                json.WriteString("catalog", summary.Folder.CatalogFile);
                json.WriteString("table", DemoOptions.Table);
                json.WriteString("table_location", summary.TableLocation);
                json.WriteString("metadata", summary.MetadataFile);
            });
            return;
        }
        foreach (var line in Lines(summary))
        {
            terminal.Output.WriteLine(line);
        }
    }

    public static string Milliseconds(TimeSpan? age)
        => age is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds:#,0} ms") : "–";

    private static IEnumerable<string> Lines(DemoSummary summary)
    {
        var folder = summary.ShownFolder;
        yield return "";
        yield return summary.IsExact
            ? string.Create(CultureInfo.InvariantCulture, $"✓ produced {summary.Produced:#,0} = in Iceberg {summary.IcebergRows:#,0} rows, each Kafka position once, in {summary.Commits} commits")
            : string.Create(CultureInfo.InvariantCulture, $"✗ produced {summary.Produced:#,0}, but in Iceberg {summary.IcebergRows:#,0} rows of {summary.DistinctPositions:#,0} Kafka positions; the log is {summary.Folder.LogFile}");
        yield return string.Create(CultureInfo.InvariantCulture,
            $"  {summary.RowsPerSecond:#,0} rows/s{(summary.FreshnessP50 is null ? "" : $"; from produced to seen by SQL {Milliseconds(summary.FreshnessP50)} (median), {Milliseconds(summary.FreshnessP99)} (p99)")}");
        yield return $"  the table is in {summary.TableLocation}";
        yield return "";
        yield return "Query it:";
        yield return $"  ./run frazil query -c {folder}/frazil.toml \"select event_type, count(*), sum(amount) from {DemoOptions.Table} group by all\"";
        yield return $"  ./run frazil snapshots -c {folder}/frazil.toml";
        yield return "Or with any engine that reads Iceberg:";
        yield return $"  python3 -c \"from pyiceberg.catalog import load_catalog as c; print(c('frazil', type='sql', uri='sqlite:///{summary.Folder.CatalogFile}').load_table('{DemoOptions.Table}').scan().count())\"";
        yield return $"  duckdb -c \"install iceberg; load iceberg; select count(*) from iceberg_scan('{summary.MetadataFile}')\"";
    }

    private static void WriteMilliseconds(Utf8JsonWriter json, string name, TimeSpan? time)
    {
        json.WritePropertyName(name);
        SqlJson.WriteValue(json, time is { } value ? Math.Round(value.TotalMilliseconds, 1) : null);
    }

    private void WriteJson(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        terminal.Output.WriteLine(System.Text.Encoding.UTF8.GetString(buffer.ToArray()));
    }
}

/// <summary>What a demo came to.</summary>
internal sealed record DemoSummary
{
    public required DemoFolder Folder { get; init; }
    /// <summary>As the user named it.</summary>
    public required string ShownFolder { get; init; }
    /// <summary>Records that the broker acknowledged.</summary>
    public required long Produced { get; init; }
    /// <summary>Rows that the catalog alone gives, after the engine has stopped.</summary>
    public required long IcebergRows { get; init; }
    /// <summary>Different pairs of Kafka partition and offset among them.</summary>
    public required long DistinctPositions { get; init; }
    public required long Commits { get; init; }
    public required double RowsPerSecond { get; init; }
    /// <summary>Of the samples that were taken; null where there were none.</summary>
    public required TimeSpan? FreshnessP50 { get; init; }
    public required TimeSpan? FreshnessP99 { get; init; }
    public required string TableLocation { get; init; }
    public required string MetadataFile { get; init; }
    public bool IsExact => Produced == IcebergRows && IcebergRows == DistinctPositions;
}
