using System.Collections.Concurrent;
using System.Text;
using Frazil.Columnar;
using Frazil.Formats;
using Frazil.Formats.Json;

namespace Frazil.Tests.Hot;

/// <summary>JSON behind one digit, which names a schema that must be known before. The smallest format with schemas.</summary>
internal sealed class NumberedFormat : RecordFormat
{
    private readonly ConcurrentDictionary<string, bool> known = new();

    public NumberedFormat(params string[] known) => Array.ForEach(known, Learn);

    public void Learn(string schema) => known[schema] = true;

    public override RecordDecoder CreateDecoder() => new NumberedDecoder(known);

    public override RecordSamples CreateSamples() => new JsonSamples();

    public override Task<DecodeError?> LoadSchemaAsync(SchemaReference schema, CancellationToken cancellationToken)
    {
        Learn(schema.Id);
        return Task.FromResult<DecodeError?>(null);
    }

    private sealed class NumberedDecoder(ConcurrentDictionary<string, bool> known) : RecordDecoder
    {
        private readonly JsonDecoder json = new();

        public override void Bind(ColumnChunk chunk, IReadOnlyList<int> positions) => json.Bind(chunk, positions);

        public override DecodeResult Decode(in SourceRecord record)
        {
            var schema = Encoding.UTF8.GetString(record.Value[..1]);
            return known.ContainsKey(schema) ? json.Decode(record.Value[1..]) : new(DecodeStatus.SchemaMissing, null, new(schema));
        }

        public override void Dispose() => json.Dispose();
    }
}
