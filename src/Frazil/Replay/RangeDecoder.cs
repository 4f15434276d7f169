using Frazil.Commit;
using Frazil.Flush;
using Frazil.Formats;
using Frazil.Hot;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Maintain;
using Frazil.Telemetry;

namespace Frazil.Replay;

/// <summary>
/// Reads a range of one partition from Kafka and decodes it as the table's pipeline would, into data files that are in no table yet. Memory
/// is bounded: files are written after so many bytes of records. One use.
/// </summary>
internal sealed class RangeDecoder
{
    /// <summary>Bytes of records after which what was decoded is written.</summary>
    private const long PieceBytes = 64L << 20;

    private const int ReportEvery = 10_000;

    private readonly RangeDecoderParts parts;
    private readonly HotBuffer hot = new();
    private readonly HotPartition partition;
    private readonly List<DataFile> files = [];
    private SchemaNeed? need;
    private long waiting;
    private CancellationTokenSource? reading;
    private CancellationToken cancellation;
    private long pieceBytes;
    private int pieces;

    public RangeDecoder(RangeDecoderParts parts)
    {
        this.parts = parts;
        var source = parts.Source;
        partition = new(source.Partition, source.First, new()
        {
            Hot = hot,
            Memory = new MemoryBudget(long.MaxValue).Join(),
            Time = parts.Time,
            Schema = () => parts.Schemas.Current,
            Declared = () => parts.Schemas.Declared,
            Format = parts.Schemas.Format,
            OnBadRecord = source.Options.OnBadRecord,
            EvolveSchema = source.Options.EvolveSchema,
            PinsStart = false,
            KindOfGap = static _ => SkipKind.Unknown, // progress and its gaps are not a replay's to record
        });
    }

    /// <summary>Offsets of the records that Kafka delivered.</summary>
    public SeenOffsets Delivered { get; } = new();

    /// <summary>Those that do not fit the table.</summary>
    public SeenOffsets Rejected { get; } = new();

    /// <summary>Files written so far.</summary>
    public IReadOnlyList<DataFile> Files => files;

    public long Rows { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Reads and writes everything. Blocks the calling thread, which must be the caller's own.</summary>
    /// <exception cref="KafkaException">The range cannot be read.</exception>
    /// <exception cref="ReplayException">The partition ends within the range.</exception>
    /// <exception cref="BadRecordException">A record does not fit, and the table says to stop there.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        cancellation = cancellationToken;
        try
        {
            partition.BeginRun();
            try
            {
                for (var next = parts.Source.First; next <= parts.Source.Last;)
                {
                    next = ReadFrom(next, cancellationToken);
                }
                partition.AdvanceTo(parts.Source.Last + 1);
            }
            finally
            {
                partition.EndRun();
            }
            WritePiece(cancellationToken);
            Report();
        }
        finally
        {
            partition.Close();
            foreach (var batch in hot.Batches)
            {
                hot.Evict(batch);
            }
        }
    }

    /// <summary>Reads until the end, or until a record waits for something and enough of those behind it have been seen; then brings
    /// it.</summary>
    /// <returns>Where to go on.</returns>
    private long ReadFrom(long next, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        reading = stop;
        try
        {
            var read = parts.Reader.Read(parts.Source.Partition, next, parts.Source.Last + 1, Take, stop.Token);
            if (need is null)
            {
                return read.ReachedEnd && read.Next <= parts.Source.Last
                    ? throw new ReplayException($"{parts.Source.Partition} ends at offset {read.Next} for readers of committed records, before {parts.Source.Last}; nothing was done")
                    : parts.Source.Last + 1;
            }
        }
        catch (OperationCanceledException) when (need is not null && !cancellationToken.IsCancellationRequested)
        {
            // Enough is known: reading goes on at the record that waits.
        }
        var wanted = need!;
        partition.Answer(waiting, Blocking.Wait(Task.Run(() => parts.Schemas.FulfilAsync(wanted, cancellationToken), cancellationToken)));
        need = null;
        return waiting;
    }

    private void Take(in KafkaMessage message)
    {
        if (need is not null)
        {
            need.Add(new(message));
            EndReadingIfComplete();
            return;
        }
        var status = partition.Append(message);
        if (status == AppendStatus.Waits)
        {
            (need, waiting) = (partition.TakeNeed(), message.Offset);
            EndReadingIfComplete();
            return;
        }
        Count(message, status);
    }

    private void Count(in KafkaMessage message, AppendStatus status)
    {
        Delivered.Add(message.Offset);
        if (status == AppendStatus.DeadLetter)
        {
            Rejected.Add(message.Offset);
        }
        Bytes += message.Size;
        pieceBytes += message.Size;
        if (Delivered.Count % ReportEvery == 0)
        {
            Report();
        }
        if (pieceBytes >= PieceBytes)
        {
            partition.EndRun();
            try
            {
                WritePiece(cancellation);
            }
            finally
            {
                partition.BeginRun();
            }
        }
    }

    private void EndReadingIfComplete()
    {
        if (need!.IsComplete)
        {
            reading!.Cancel();
        }
    }

    private void WritePiece(CancellationToken cancellationToken)
    {
        pieceBytes = 0;
        if (partition.Seal() is not { } batch)
        {
            return;
        }
        using var flush = new SealedFlush($"{parts.ReplayId}-{pieces++}", [batch]);
        var units = Blocking.Wait(parts.Writer.WriteAsync(flush, cancellationToken));
        files.AddRange(units.SelectMany(static unit => unit.Files).Select(static file => file.File));
        Blocking.Wait(parts.Letters.WriteAsync(batch, cancellationToken));
        Rows += batch.RowCount;
        hot.Evict(batch);
    }

    private void Report()
        => parts.Progress?.Report(new("reading", Math.Max(parts.Source.First, partition.NextOffset), Delivered.Count, Bytes));
}

/// <summary>What a decoder works with.</summary>
internal sealed record RangeDecoderParts
{
    public required ReplaySource Source { get; init; }
    public required PartitionReader Reader { get; init; }
    public required SchemaKeeper Schemas { get; init; }
    public required FlushWriter Writer { get; init; }
    public required ReplayLetters Letters { get; init; }
    public required string ReplayId { get; init; }
    public required TimeProvider Time { get; init; }
    public IProgress<ReplayProgress>? Progress { get; init; }
}
