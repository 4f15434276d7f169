using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Frazil.Kafka;
using Frazil.Verify;

namespace Frazil.Server.Output;

/// <summary>What a verification found: lines for people, an object for machines. People see the first ranges, machines all.</summary>
internal static partial class VerificationText
{
    private const int MostRangesShown = 20;

    public static string ToText(TableVerification table, bool coloured)
    {
        var text = new StringBuilder();
        var (mark, colour) = table.IsProven ? ("✓", "\e[32m") : ("✗", "\e[31m");
        var look = table.IsDeep ? "every row looked at" : "files looked at; --deep reads every row";
        var verdict = !table.IsProven ? "NOT proven" : table.IsDeep ? "every record exactly once" : "counts and ranges add up";
        text.Append(coloured ? $"{colour}{mark}\e[0m" : mark)
            .Append(
                CultureInfo.InvariantCulture,
                $" {table.Table}: {verdict} (snapshot {table.SnapshotId?.ToString(CultureInfo.InvariantCulture) ?? "none"}; {look})\n");
        AppendPartitions(text, table.Partitions);
        foreach (var finding in table.Findings)
        {
            AppendFinding(text, null, finding);
        }
        foreach (var partition in table.Partitions)
        {
            foreach (var finding in partition.Findings)
            {
                AppendFinding(text, partition.Partition, finding);
            }
            foreach (var note in partition.Notes)
            {
                text.Append(CultureInfo.InvariantCulture, $"  note: {partition.Partition}: {note}\n");
            }
        }
        foreach (var note in table.Notes)
        {
            text.Append(CultureInfo.InvariantCulture, $"  note: {note}\n");
        }
        return text.ToString();
    }

    public static string ToJson(IReadOnlyList<TableVerification> tables)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            json.WriteStartObject();
            json.WriteBoolean("proven", tables.All(static table => table.IsProven));
            json.WriteStartArray("tables");
            foreach (var table in tables)
            {
                WriteTable(json, table);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void AppendPartitions(StringBuilder text, IReadOnlyList<PartitionVerification> partitions)
    {
        if (partitions.Count == 0)
        {
            return;
        }
        static ResultColumn Number(string name) => new(name, "BIGINT");
        var rows = partitions.Select(static one => (string?[])
        [
            one.IsProven
                ? "ok"
                : "WRONG", one.Partition.ToString(), Text(one.First), Text(one.Next), one.Rows is { } rows
                ? Text(rows)
                : "?", Text(one.DeadLetters),
            Text(one.Gaps.Transaction + one.Gaps.Compaction + one.Gaps.Unknown), Text(one.Gaps.Removed),
            one.Kafka is { } ends ? $"{ends.Low}..{ends.High}" : "not there",
        ]);
        var table = new ResultSet(
            [new("", "VARCHAR"), new("partition", "VARCHAR"), Number("first"), Number("next"), Number("rows"), Number("dead letters"), Number("no record"), Number("retention"), new("in Kafka now", "VARCHAR")],
            [.. rows]);
        foreach (var line in TextTable.Format(table).TrimEnd('\n').Split('\n'))
        {
            text.Append("  ").Append(line).Append('\n');
        }
    }

    private static void AppendFinding(StringBuilder text, TopicPartition? partition, VerifyFinding finding)
    {
        text.Append("  ").Append(KindOf(finding)).Append(": ");
        if (partition is { } place)
        {
            text.Append(place).Append(": ");
        }
        text.Append(finding.Text);
        if (finding.Offsets.Count > 0)
        {
            text.Append(": offsets ").Append(string.Join(", ", finding.Offsets.Take(MostRangesShown)));
            if (finding.Offsets.Count > MostRangesShown)
            {
                text.Append(CultureInfo.InvariantCulture, $" and {finding.Offsets.Count - MostRangesShown} more ranges (--json has all)");
            }
        }
        if (finding.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" ({finding.Count})");
        }
        text.Append('\n');
    }

    private static void WriteTable(Utf8JsonWriter json, TableVerification table)
    {
        json.WriteStartObject();
        json.WriteString("table", table.Table);
        json.WriteBoolean("proven", table.IsProven);
        WriteNumber(json, "snapshot_id", table.SnapshotId);
        json.WriteBoolean("deep", table.IsDeep);
        WriteFindings(json, table.Findings, table.Notes);
        json.WriteStartArray("partitions");
        foreach (var partition in table.Partitions)
        {
            WritePartition(json, partition);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WritePartition(Utf8JsonWriter json, PartitionVerification partition)
    {
        json.WriteStartObject();
        json.WriteString("topic", partition.Partition.Topic);
        json.WriteNumber("partition", partition.Partition.Partition);
        json.WriteBoolean("proven", partition.IsProven);
        json.WriteNumber("first", partition.First);
        json.WriteNumber("next", partition.Next);
        WriteNumber(json, "rows", partition.Rows);
        json.WriteNumber("dead_letters", partition.DeadLetters);
        json.WriteNumber("files", partition.Files);
        json.WriteStartObject("gaps");
        json.WriteNumber("transaction", partition.Gaps.Transaction);
        json.WriteNumber("compaction", partition.Gaps.Compaction);
        json.WriteNumber("unknown", partition.Gaps.Unknown);
        json.WriteNumber("retention", partition.Gaps.Removed);
        WriteRanges(json, "retention_ranges", partition.Gaps.Retention);
        json.WriteEndObject();
        WriteNumber(json, "kafka_low", partition.Kafka?.Low);
        WriteNumber(json, "kafka_high", partition.Kafka?.High);
        WriteFindings(json, partition.Findings, partition.Notes);
        json.WriteEndObject();
    }

    private static void WriteFindings(Utf8JsonWriter json, IReadOnlyList<VerifyFinding> findings, IReadOnlyList<string> notes)
    {
        json.WriteStartArray("findings");
        foreach (var finding in findings)
        {
            json.WriteStartObject();
            json.WriteString("kind", KindOf(finding));
            json.WriteString("text", finding.Text);
            json.WriteNumber("count", finding.Count);
            WriteRanges(json, "offsets", finding.Offsets);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("notes");
        foreach (var note in notes)
        {
            json.WriteStringValue(note);
        }
        json.WriteEndArray();
    }

    private static void WriteRanges(Utf8JsonWriter json, string name, IEnumerable<OffsetRange> ranges)
    {
        json.WriteStartArray(name);
        foreach (var range in ranges)
        {
            json.WriteStartArray();
            json.WriteNumberValue(range.First);
            json.WriteNumberValue(range.Last);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, long? number)
    {
        if (number is { } known)
        {
            json.WriteNumber(name, known);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>As JSON spells it: <c>beyond_progress</c>.</summary>
    private static string KindOf(VerifyFinding finding) => Hump().Replace(finding.Kind.ToString(), "_$0").ToLowerInvariant();

    [GeneratedRegex("(?<=.)[A-Z]")]
    private static partial Regex Hump();
}
