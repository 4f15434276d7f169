namespace Frazil.Formats.Json;

/// <summary>JSON objects, one a record, whose columns follow from what they hold.</summary>
internal sealed class JsonFormat : RecordFormat
{
    public override RecordDecoder CreateDecoder() => new JsonDecoder();

    public override RecordSamples CreateSamples() => new JsonSamples();
}
