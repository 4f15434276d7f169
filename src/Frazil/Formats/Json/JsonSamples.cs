using System.Text.Json;
using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>The records themselves.</summary>
internal sealed class JsonSamples : RecordSamples
{
    private readonly List<byte[]> records = [];

    public override int Count => records.Count;

    public override void Add(in SourceRecord record) => records.Add(record.Value.ToArray());

    public override (IReadOnlyList<SchemaAddition> Additions, DecodeError? Problem) Propose(
        ColumnFields known, IReadOnlyList<(string Name, string Column)> partitionFields, IReadOnlyList<string> reserved, int most = Most)
    {
        var inference = new JsonSchemaInference(known, partitionFields: partitionFields, reserved: reserved);
        for (var i = 0; i < Math.Min(records.Count, most); i++)
        {
            var problem = inference.Add(records[i]);
            if (i == 0 && problem is not null)
            {
                return ([], problem);
            }
        }
        return (inference.Additions, null);
    }

    public override IReadOnlyCollection<IReadOnlyList<string?>> WithValues(IReadOnlyCollection<IReadOnlyList<string?>> paths)
    {
        var left = paths.ToList();
        foreach (var record in records.TakeWhile(_ => left.Count > 0))
        {
            try
            {
                using var document = JsonDocument.Parse(record, new() { MaxDepth = JsonCursor.MaxDepth });
                left.RemoveAll(path => HasValue(document.RootElement, path, 0));
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException)
            {
                // No JSON, or a name that is no text: judged when its turn comes.
            }
        }
        return [.. paths.Except(left)];
    }

    private static bool HasValue(JsonElement at, IReadOnlyList<string?> path, int level)
    {
        if (level == path.Count)
        {
            return at.ValueKind != JsonValueKind.Null;
        }
        return (path[level], at.ValueKind) switch
        {
            ({ } name, JsonValueKind.Object) => at.TryGetProperty(name, out var below) && HasValue(below, path, level + 1),
            (null, JsonValueKind.Array) => at.EnumerateArray().Any(one => HasValue(one, path, level + 1)),
            (null, JsonValueKind.Object) => at.EnumerateObject().Any(one => HasValue(one.Value, path, level + 1)),
            _ => false,
        };
    }
}
