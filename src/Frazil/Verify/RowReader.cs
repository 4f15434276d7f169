using System.Collections.Concurrent;
using System.Text;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Maintain;

namespace Frazil.Verify;

/// <summary>The offsets that rows carry.</summary>
/// <param name="Held">Every offset that a row carries.</param>
/// <param name="Repeated">Those that more than one row carries.</param>
/// <param name="Rows">All rows.</param>
internal sealed record HeldOffsets(OffsetSet Held, OffsetSet Repeated, long Rows)
{
    public static HeldOffsets None { get; } = new(OffsetSet.Empty, OffsetSet.Empty, 0);
}

/// <summary>A file whose rows are to be read.</summary>
/// <param name="File">The file.</param>
/// <param name="Topic">The topic that all of its rows are of; null where each row says its own.</param>
internal sealed record ReadFile(DataFile File, string? Topic);

/// <summary>What was read of some files.</summary>
/// <param name="Offsets">The offsets of each partition that any row is of.</param>
/// <param name="Unreadable">Files of which nothing counts, by their locations, and why they cannot be read.</param>
/// <param name="Unplaced">Rows that do not say where in Kafka they come from.</param>
internal sealed record HeldRows(
    IReadOnlyDictionary<TopicPartition, HeldOffsets> Offsets, IReadOnlyDictionary<string, string> Unreadable, long Unplaced);

/// <summary>Reads the Kafka positions of all rows of some files, each file once, from the table's store wherever that is. What is in memory
/// grows with the holes between offsets, not with the rows.</summary>
internal sealed class RowReader(LoadedTable table)
{
    private const int MostFilesAtOnce = 8;

    private readonly PositionReader positions = new(table.FileIO, table.Metadata.CurrentSchema);

    /// <param name="files">Files of the table.</param>
    /// <param name="onRead">Told the rows read so far, from any thread.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<HeldRows> ReadAsync(IReadOnlyCollection<ReadFile> files, Action<long> onRead, CancellationToken cancellationToken)
    {
        var unreadable = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        while (true)
        {
            // A file may fail in its middle: what was counted of it comes out by counting anew.
            var (known, counting) = (unreadable.Count, new Counting(onRead));
            await Parallel.ForEachAsync(
                files.Where(file => !unreadable.ContainsKey(file.File.Path)),
                new ParallelOptions { MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount, 1, MostFilesAtOnce), CancellationToken = cancellationToken },
                async (file, token) =>
                {
                    try
                    {
                        await positions.VisitAsync(file.File, rows => counting.Add(rows, file.Topic), token);
                    }
                    catch (IOException failure)
                    {
                        unreadable[file.File.Path] = (failure as UnreadableFileException)?.Reason ?? failure.Message;
                    }
                });
            if (unreadable.Count == known)
            {
                return new(counting.ToHeld(), unreadable, counting.Unplaced);
            }
        }
    }

    /// <summary>One pass over the files. Row groups of several files are counted one after the other.</summary>
    private sealed class Counting(Action<long> onRead)
    {
        private readonly Lock gate = new();
        private readonly Dictionary<TopicPartition, OffsetTally> tallies = [];
        private long rowsRead;

        public long Unplaced { get; private set; }

        public void Add(RowPositions rows, string? topic)
        {
            lock (gate)
            {
                var (tally, number, name) = ((OffsetTally?)null, -1L, Array.Empty<byte>());
                for (var row = 0; row < rows.Count; row++)
                {
                    if (!rows.TryGet(row, out var partition, out var offset))
                    {
                        Unplaced++;
                        continue;
                    }
                    if (partition != number || (topic is null && !rows.TopicOf(row).SequenceEqual(name)))
                    {
                        number = partition;
                        tally = Find(partition, topic, rows.TopicOf(row), ref name);
                    }
                    if (tally is null)
                    {
                        Unplaced++;
                        continue;
                    }
                    tally.Add(offset);
                }
                onRead(rowsRead += rows.Count);
            }
        }

        public IReadOnlyDictionary<TopicPartition, HeldOffsets> ToHeld()
            => tallies.ToDictionary(static pair => pair.Key, static pair => pair.Value.ToHeld());

        /// <summary>Null where the row does not say its topic, or a number that no partition has.</summary>
        private OffsetTally? Find(long partition, string? topic, ReadOnlySpan<byte> rowTopic, ref byte[] name)
        {
            if (topic is null)
            {
                name = rowTopic.ToArray();
                topic = Encoding.UTF8.GetString(rowTopic);
            }
            if (topic.Length == 0 || partition is < 0 or > int.MaxValue)
            {
                return null;
            }
            var place = new TopicPartition(topic, (int)partition);
            if (!tallies.TryGetValue(place, out var tally))
            {
                tallies[place] = tally = new();
            }
            return tally;
        }
    }
}
