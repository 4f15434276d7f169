using System.Globalization;
using Frazil.Commit;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Maintain;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.DeadLetters;

/// <summary>
/// Which records are dead letters already, by the rows of the dead-letter table. Its progress says so only as long as the table it belongs
/// to goes on where it was: one that was made anew, or whose position was moved back, comes by records again whose letters may have been
/// cleared away meanwhile.
/// </summary>
/// <param name="state">The dead-letter table.</param>
/// <param name="logger">Is told what cannot be read.</param>
internal sealed class KeptLetters(TableState state, ILogger logger)
{
    /// <summary>Followed by a topic's name: letters whose sequence number is not above the value are of a topic that had that name before.</summary>
    private const string ForerunnerPrefix = "frazil.forerunner-until.";

    /// <summary>From now on the letters of these topics that were committed so far are not theirs: the topics were recreated.</summary>
    public static TableUpdate DisownUntil(long sequenceNumber, IEnumerable<string> topics) => new TableUpdate.SetProperties(
        topics.ToDictionary(static topic => ForerunnerPrefix + topic, _ => sequenceNumber.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The offsets in a range that the dead-letter table has. What cannot be read of it is told, and counts as not there: a letter
    /// is rather kept twice than not at all.</summary>
    /// <param name="letters">The version of the table to look at.</param>
    /// <param name="partition">Whose.</param>
    /// <param name="first">First offset of the range.</param>
    /// <param name="last">Last offset of the range.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<SeenOffsets> ReadAsync(
        TableVersion letters, TopicPartition partition, long first, long last, CancellationToken cancellationToken)
    {
        var found = new SeenOffsets();
        var (metadata, range) = (letters.Metadata, new KafkaRange(partition.Topic, partition.Partition, first, last));
        string[] needed = [KafkaColumns.Topic, KafkaColumns.Partition, KafkaColumns.Offset];
        if (metadata.CurrentSnapshot is not { } snapshot || needed.Any(name => metadata.CurrentSchema.FindField(name) is null))
        {
            return found;
        }
        var isForerunners = long.TryParse(
            metadata.Properties.GetValueOrDefault(ForerunnerPrefix + partition.Topic), NumberStyles.None, CultureInfo.InvariantCulture, out var until);
        var reader = new PositionReader(letters.Table.FileIO, metadata.CurrentSchema);
        foreach (var entry in await state.Table.Manifests.ReadLiveAsync(snapshot, metadata, cancellationToken))
        {
            if (entry.File is { Content: FileContent.Data } file
                && !(isForerunners && entry.SequenceNumber <= until)
                && range.PlaceOf(file, metadata.CurrentSchema) != RangePlace.Outside
                && await ReadFileAsync(reader, file, letters.Table, range, found, cancellationToken) is { } fault)
            {
                logger.LettersUnreadable(file.Path, fault, partition.ToString(), first, last);
            }
        }
        return found;
    }

    /// <returns>Why it cannot be read; null where it was.</returns>
    private async Task<string?> ReadFileAsync(
        PositionReader reader, DataFile file, LoadedTable table, KafkaRange range, SeenOffsets found, CancellationToken cancellationToken)
    {
        if (file.Format != FileFormat.Parquet)
        {
            return $"it is {file.Format}, which cannot be read here";
        }
        if (await DataFileLook.FaultOfAsync(table.FileIO, file, cancellationToken) is { } fault)
        {
            return $"it {fault}";
        }
        try
        {
            await reader.VisitOffsetsAsync(file, range, found.Add, cancellationToken);
            return null;
        }
        catch (UnreadableFileException error)
        {
            return error.Message; // another engine's file of a kind that cannot be read, or one that was harmed
        }
    }
}
