using System.Text.Json.Serialization;

namespace Frazil.Kafka;

/// <summary>Offsets of one partition, both ends included.</summary>
public readonly record struct OffsetRange(long First, long Last)
{
    [JsonIgnore]
    public long Count => Last - First + 1;

    /// <summary><c>5..9</c>, or <c>5</c> for a single offset.</summary>
    public override string ToString() => First == Last ? $"{First}" : $"{First}..{Last}";
}
