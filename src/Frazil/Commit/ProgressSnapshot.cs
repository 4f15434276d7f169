using System.Text.Json;
using System.Text.Json.Serialization;
using Frazil.Iceberg;

namespace Frazil.Commit;

/// <summary>
/// The snapshot that moved a topic's progress last. Recorded beside the progress by the same commit (property
/// <c>frazil.snapshot.&lt;topic&gt;</c> = <c>{"snapshot-id":77,"sequence-number":3,"topic-id":"…"}</c>), so that rows which are gone are
/// missed also where no snapshot is left that mirrors the progress (see <see cref="TableRollback"/>).
/// </summary>
/// <param name="SnapshotId">Its id.</param>
/// <param name="SequenceNumber">Its order among all snapshots of the table, also those of other branches.</param>
/// <param name="TopicId">The topic's id; null where the brokers did not say.</param>
internal sealed record ProgressSnapshot(
    [property: JsonPropertyName("snapshot-id")] long SnapshotId,
    [property: JsonPropertyName("sequence-number")] long SequenceNumber,
    [property: JsonPropertyName("topic-id")] string? TopicId)
{
    public const string PropertyPrefix = "frazil.snapshot.";

    private const string CherryPickedFrom = "source-snapshot-id";

    /// <summary>What a table records of a topic. Null where it records nothing, as after versions of Frazil that did not, or where other
    /// hands made it unreadable: nothing rests on it but this one more look.</summary>
    public static ProgressSnapshot? Of(TableMetadata metadata, string topic)
    {
        try
        {
            return metadata.Properties.TryGetValue(PropertyPrefix + topic, out var json)
                && JsonSerializer.Deserialize(json, ProgressSnapshotJson.Default.ProgressSnapshot) is { SnapshotId: not 0 } read ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The snapshot that a cherry-pick copied; null for any other.</summary>
    public static long? SourceOf(Snapshot snapshot)
        => long.TryParse(snapshot.Summary.GetValueOrDefault(CherryPickedFrom), out var id) ? id : null;

    public string ToJson()
        => JsonSerializer.Serialize(this, ProgressSnapshotJson.Default.ProgressSnapshot);

    /// <summary>Whether this is the snapshot, or what another engine cherry-picked from it.</summary>
    public bool Is(Snapshot snapshot) => snapshot.SnapshotId == SnapshotId || SourceOf(snapshot) == SnapshotId;
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProgressSnapshot))]
internal sealed partial class ProgressSnapshotJson : JsonSerializerContext;
