using System.Globalization;
using Frazil.DuckDb;
using Frazil.Kafka;

namespace Frazil.Verify;

/// <summary>The offsets that rows carry.</summary>
/// <param name="Held">Every offset that a row carries.</param>
/// <param name="Repeated">Those that more than one row carries.</param>
/// <param name="Rows">All rows.</param>
internal sealed record HeldOffsets(OffsetSet Held, OffsetSet Repeated, long Rows)
{
    public static HeldOffsets None { get; } = new(OffsetSet.Empty, OffsetSet.Empty, 0);
}

/// <summary>Reads Kafka positions out of Parquet files, with DuckDB, in memory that does not grow with the table.</summary>
internal sealed class RowReader : IDisposable
{
    /// <summary>Offsets looked at in one query: their counts are in memory at once.</summary>
    private const long OffsetsAtOnce = 4_000_000;

    private readonly DuckDbInstance duck = DuckDbInstance.Open(new Dictionary<string, string>
    {
        ["threads"] = Math.Clamp(Environment.ProcessorCount, 1, 8).ToString(CultureInfo.InvariantCulture),
        ["memory_limit"] = "1GiB",
        ["temp_directory"] = "",
        ["autoinstall_known_extensions"] = "false",
        ["autoload_known_extensions"] = "false",
    });

    private readonly DuckDbConnection connection;

    public RowReader() => connection = duck.Connect();

    // The queries group by place and not by name: the table may have a column o of its own.

    /// <summary>The offsets that the files have of one partition.</summary>
    /// <param name="files">Files with rows of the partition, maybe of others too; their local paths.</param>
    /// <param name="partition">Whose.</param>
    /// <param name="matchTopic">Whether the rows' topic must be looked at.</param>
    /// <param name="onRead">Told the rows read so far, out of all in the files.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public HeldOffsets Read(
        IReadOnlyList<(HeldFile File, string Path)> files, TopicPartition partition, bool matchTopic, Action<long> onRead,
        CancellationToken cancellationToken)
    {
        if (files.Count == 0)
        {
            return HeldOffsets.None;
        }
        var isBounded = files.All(static file => file.File.Offsets is not null);
        var (first, last) = isBounded
            ? (files.Min(static file => file.File.Offsets!.Value.First), files.Max(static file => file.File.Offsets!.Value.Last))
            : (0, OffsetsAtOnce - 1);
        var (held, repeated, rows) = (new List<OffsetRange>(), new List<OffsetRange>(), 0L);
        for (var from = first; from <= last; from += OffsetsAtOnce)
        {
            var to = from + OffsetsAtOnce;
            var needed = files.Where(
                file => !isBounded || (file.File.Offsets!.Value.First < to && file.File.Offsets.Value.Last >= from)).ToList();
            if (needed.Count > 0)
            {
                var limits = isBounded ? $" AND kafka_offset >= {from} AND kafka_offset < {to}" : "";
                var topic = matchTopic ? $" AND kafka_topic = {SqlText.Literal(partition.Topic)}" : "";
                rows += Collect(
                    $"SELECT kafka_offset::BIGINT AS o, count(*) AS n FROM {Files(needed.Select(static file => file.Path))} "
                    + $"WHERE kafka_partition = {partition.Partition}{limits}{topic} GROUP BY 1",
                    held, repeated, cancellationToken);
            }
            onRead(rows);
        }
        return new(OffsetSet.Of(held), OffsetSet.Of(repeated), rows);
    }

    /// <summary>The offsets in a dead-letter table, by partition. A table without files has none.</summary>
    public IReadOnlyDictionary<TopicPartition, HeldOffsets> ReadLetters(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var letters = new Dictionary<TopicPartition, HeldOffsets>();
        if (paths.Count == 0)
        {
            return letters;
        }
        List<object?[]> places;
        using (var result = connection.Query($"SELECT DISTINCT kafka_topic, kafka_partition FROM {Files(paths)}", cancellationToken))
        {
            places = result.ReadRows();
        }
        foreach (var place in places)
        {
            var partition = new TopicPartition((string)place[0]!, Convert.ToInt32(place[1], CultureInfo.InvariantCulture));
            var (held, repeated) = (new List<OffsetRange>(), new List<OffsetRange>());
            var rows = Collect(
                $"SELECT kafka_offset AS o, count(*) AS n FROM {Files(paths)} "
                + $"WHERE kafka_partition = {partition.Partition} AND kafka_topic = {SqlText.Literal(partition.Topic)} GROUP BY 1",
                held, repeated, cancellationToken);
            letters[partition] = new(OffsetSet.Of(held), OffsetSet.Of(repeated), rows);
        }
        return letters;
    }

    /// <summary>Reads all positions of one file, to find out whether that can be done.</summary>
    /// <returns>The reason why not; null where it can.</returns>
    public string? WhyUnreadable(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var result = connection.Query($"SELECT max(kafka_partition), max(kafka_offset) FROM {Files([path])}", cancellationToken);
            _ = result.ReadRows();
            return null;
        }
        catch (DuckDbException error) when (!cancellationToken.IsCancellationRequested)
        {
            return error.Message;
        }
    }

    public void Dispose()
    {
        connection.Dispose();
        duck.Dispose();
    }

    /// <summary>Without being told, DuckDB would take columns out of folder names.</summary>
    private static string Files(IEnumerable<string> paths)
        => $"read_parquet([{string.Join(", ", paths.Select(SqlText.Literal))}], hive_partitioning = false)";

    /// <summary>Turns offsets with their number of rows into ranges of equal number: offsets in a row differ from their rank by a
    /// constant.</summary>
    private long Collect(string offsets, List<OffsetRange> held, List<OffsetRange> repeated, CancellationToken cancellationToken)
    {
        var rows = 0L;
        using var result = connection.Stream(
            $"SELECT min(o), max(o), n FROM (SELECT o, n, o - row_number() OVER (PARTITION BY n ORDER BY o) AS g FROM ({offsets})) GROUP BY n, g", cancellationToken);
        var read = new List<object?[]>();
        while (result.NextChunk() is { } chunk)
        {
            using (chunk)
            {
                read.Clear();
                chunk.ReadRows(read);
            }
            foreach (var row in read)
            {
                var range = new OffsetRange((long)row[0]!, (long)row[1]!);
                var times = (long)row[2]!;
                held.Add(range);
                rows += range.Count * times;
                if (times > 1)
                {
                    repeated.Add(range);
                }
            }
        }
        return rows;
    }
}
