using System.Text.Unicode;
using Frazil.Columnar;
using Frazil.Iceberg;
using Frazil.Kafka;
using Frazil.Schemas;

namespace Frazil.Hot;

/// <summary>The columns that come from a record's place in Kafka rather than from its value: which a table has, and the
/// writing of them.</summary>
internal sealed class KafkaColumns
{
    public const string Topic = KafkaColumnTypes.Topic;
    public const string Partition = KafkaColumnTypes.Partition;
    public const string Offset = KafkaColumnTypes.Offset;
    public const string Timestamp = KafkaColumnTypes.Timestamp;
    public const string Key = KafkaColumnTypes.Key;
    public const string Headers = KafkaColumnTypes.Headers;

    /// <summary>Table property: which of these columns the table was made with, so that a column that a producer's field made is not taken
    /// for one.</summary>
    private const string RecordedProperty = "frazil.kafka-columns";

    private const long NoTimestamp = -1;

    /// <summary>The least that DuckDB calls a timestamp: 290309-12-22 (BC).</summary>
    private const long EarliestMs = -9_223_372_022_400_000;

    private static readonly string[] All = [Partition, Offset, Timestamp, Topic, Key, Headers];

    /// <summary>Types that no field of a record is ever inferred as.</summary>
    private static readonly string[] Unmistakable = [Partition, Timestamp, Key, Headers];

    private readonly FixedWriter<int>? partition;
    private readonly FixedWriter<long>? offset;
    private readonly FixedWriter<long>? timestamp;
    private readonly BytesWriter? topic;
    private readonly BytesWriter? key;
    private readonly ListWriter? headers;

    public KafkaColumns(TableSchema schema, ColumnChunk chunk)
    {
        foreach (var (name, position) in schema.KafkaColumns)
        {
            switch (name)
            {
                case Partition: partition = chunk.Column<FixedWriter<int>>(position); break;
                case Offset: offset = chunk.Column<FixedWriter<long>>(position); break;
                case Timestamp: timestamp = chunk.Column<FixedWriter<long>>(position); break;
                case Topic: topic = chunk.Column<BytesWriter>(position); break;
                case Key: key = chunk.Column<BytesWriter>(position); break;
                case Headers: headers = chunk.Column<ListWriter>(position); break;
                default: throw new ArgumentException($"{name} is no Kafka column", nameof(schema));
            }
        }
    }

    /// <summary>The properties of a new table, with a note of its Kafka columns.</summary>
    public static IReadOnlyDictionary<string, string> Recorded(IReadOnlyDictionary<string, string> properties, IReadOnlyList<string> columns)
        => new Dictionary<string, string>(properties) { [RecordedProperty] = string.Join(',', columns) };

    /// <summary>The columns of a table that are filled from records' positions. Tables made before it was noted: those of a type that no
    /// record makes, and where there is one, the others too.</summary>
    public static IReadOnlyList<string> Of(TableMetadata table)
    {
        var there = table.CurrentSchema.Fields.ToDictionary(static field => field.Name, static field => field.Type);
        if (table.Properties.TryGetValue(RecordedProperty, out var recorded))
        {
            return [.. recorded.Split(',').Where(name => All.Contains(name) && there.ContainsKey(name))];
        }
        var typed = All.Where(name => there.TryGetValue(name, out var type) && IsTypeOf(name, type)).ToArray();
        return typed.Any(Unmistakable.Contains) ? typed : [];
    }

    private static bool IsTypeOf(string name, IcebergType type) => name == Headers
        ? type is ListType { Element.Type: StructType header } && header.Find("value")?.Type == IcebergType.Binary
        : KafkaColumnTypes.TypeOf(name, static () => 0).Equals(type);

    public void Append(in KafkaMessage message, ReadOnlySpan<byte> topicName)
    {
        partition?.Append(message.Partition);
        offset?.Append(message.Offset);
        topic?.Append(topicName);
        AppendTimestamp(timestamp, message);
        AppendKey(key, message);
        if (headers is not null)
        {
            AppendHeaders(headers, message);
        }
    }

    /// <summary>Why the record's place in Kafka does not fit the columns; null where it does. A header's name is any bytes to Kafka, and a
    /// string here.</summary>
    public (string Code, string Reason)? FaultOf(in KafkaMessage message)
    {
        if (headers is null)
        {
            return null;
        }
        var all = message.Headers;
        for (var i = 0; i < all.Count; i++)
        {
            if (!Utf8.IsValid(all[i].Name))
            {
                return ("header_name", $"the name of header {i} is {Convert.ToHexStringLower(all[i].Name)} (hexadecimal), which is not UTF-8");
            }
        }
        return null;
    }

    internal static void AppendTimestamp(FixedWriter<long>? column, in KafkaMessage message)
    {
        if (ToMicroseconds(message.TimestampMs) is { } microseconds)
        {
            column?.Append(microseconds);
        }
        else
        {
            column?.AppendNull();
        }
    }

    /// <summary>Milliseconds since the epoch in microseconds, also before it; null where the record carries no timestamp (Kafka's -1), or
    /// one that a timestamp cannot say: before the year -290308, after 294247.</summary>
    internal static long? ToMicroseconds(long milliseconds)
        => milliseconds is not NoTimestamp and >= EarliestMs and <= long.MaxValue / 1000 ? milliseconds * 1000 : null;

    internal static void AppendKey(BytesWriter? column, in KafkaMessage message)
    {
        if (message.IsKeyNull)
        {
            column?.AppendNull();
        }
        else
        {
            column?.Append(message.Key);
        }
    }

    private static void AppendHeaders(ListWriter column, in KafkaMessage message)
    {
        var element = (StructWriter)column.First;
        var names = (BytesWriter)element.Children[0];
        var values = (BytesWriter)element.Children[1];
        var all = message.Headers;
        for (var i = 0; i < all.Count; i++)
        {
            var header = all[i];
            names.Append(header.Name);
            if (header.IsValueNull)
            {
                values.AppendNull();
            }
            else
            {
                values.Append(header.Value);
            }
            element.EndStruct();
        }
        column.EndList();
    }
}
