using System.Text;
using Frazil.Columnar;
using Frazil.Config;
using Frazil.Formats;
using Frazil.Kafka;

namespace Frazil.Hot;

/// <summary>What became of one record.</summary>
internal enum AppendStatus
{
    /// <summary>A row, visible at the next publish.</summary>
    Row,
    /// <summary>A dead letter, visible likewise.</summary>
    DeadLetter,
    /// <summary>Nothing yet: <see cref="HotPartition.TakeNeed"/> says what must come first. Bring it, <see cref="HotPartition.Answer"/>,
    /// and append the record again.</summary>
    Waits,
    /// <summary>Nothing: it is before the position or the partition is closed.</summary>
    Ignored,
}

/// <summary>
/// The open end of one assigned Kafka partition: decodes records into the open hot batch. Appends happen in runs under the partition's
/// lock; sealing takes the same lock, so a batch is frozen only between runs. Made anew for each assignment.
/// </summary>
internal sealed class HotPartition
{
    /// <summary>Rows of one chunk: enough to make per-chunk costs vanish, few enough that outgrown buffers stay small.</summary>
    private const int ChunkRows = 64 * 1024;
    private const int FirstChunkRows = 256;

    private readonly Lock gate = new();
    private readonly HotPartitionParts parts;
    private readonly byte[] topicName;
    private readonly RecordDecoder decoder;
    private ChunkSizing sizing = ChunkSizing.ForRows(FirstChunkRows);
    private TableSchema? boundSchema;
    private ColumnChunk? chunk;

    /// <summary>Bytes of the records in the chunk: near enough to the chunk's own, and free to count for every record.</summary>
    private long chunkInput;
    private KafkaColumns? kafkaColumns;
    private DeadLetterColumns? deadLetters;
    private HotBatch? open;
    private long? recorded;
    private long next;
    private bool closed;
    private SchemaNeed? need;
    private AnsweredNeed answered = AnsweredNeed.None;

    public HotPartition(TopicPartition partition, long? recordedOffset, HotPartitionParts parts)
    {
        Partition = partition;
        this.parts = parts;
        recorded = recordedOffset;
        next = recordedOffset ?? -1;
        topicName = Encoding.UTF8.GetBytes(partition.Topic);
        decoder = parts.Format.CreateDecoder();
    }

    public TopicPartition Partition { get; }

    /// <summary>The next offset that an append may carry; -1 before the first one where the table records nothing.</summary>
    public long NextOffset => Volatile.Read(ref next);

    /// <summary>The batch being appended to, when committing it would change something.</summary>
    public HotBatch? OpenBatch => Volatile.Read(ref open) is { IsWorthCommitting: true } batch ? batch : null;

    /// <summary>Where reading really begins. What the table records has precedence: a later beginning is a gap in the log, and stays
    /// visible as one.</summary>
    public void BeginAt(long offset)
    {
        lock (gate)
        {
            if (next < 0)
            {
                next = offset;
                OpenAt(offset);
                if (open!.HoldsUnrecordedStart)
                {
                    parts.Hot.FlushSignal.Raise();
                }
            }
        }
    }

    /// <summary>Begins a run of appends: until <see cref="EndRun"/> the partition cannot be sealed.</summary>
    public void BeginRun() => gate.Enter();

    /// <summary>Ends the run: everything appended in it becomes visible to SQL.</summary>
    public void EndRun()
    {
        try
        {
            if (!closed)
            {
                Publish();
            }
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>Decodes one record. Within a run only.</summary>
    /// <exception cref="BadRecordException">The record does not fit and the table says <c>on_bad_record = "fail"</c>.</exception>
    public AppendStatus Append(in KafkaMessage message)
    {
        var offset = message.Offset;
        if (closed || offset < next)
        {
            return AppendStatus.Ignored;
        }
        if (parts.IsLetter is { } isLetter && isLetter(offset))
        {
            return AppendLetter(message, "was_dead_letter", "the record was a dead letter when it was read before; replay its offset to have it judged anew");
        }
        if (message.IsValueNull)
        {
            return Reject(message, "null_value", "the record's value is null (a tombstone), which a table in append mode cannot hold");
        }
        if (answered.RefusalOf(offset) is { } refusal)
        {
            return Reject(message, refusal.Code, refusal.Message);
        }
        var schema = parts.Schema();
        if (schema is null)
        {
            return AppendFirst(message);
        }
        PrepareChunk(schema, offset);
        if (kafkaColumns!.FaultOf(message) is { } fault)
        {
            return Reject(message, fault.Code, fault.Reason);
        }
        var record = new SourceRecord(message);
        var result = decoder.Decode(record);
        if (result.Status == DecodeStatus.ChunkFull)
        {
            boundSchema = null; // makes the next preparation begin a chunk
            PrepareChunk(schema, offset);
            result = decoder.Decode(record);
        }
        return result.Status switch
        {
            DecodeStatus.Ok => EndRow(message),
            DecodeStatus.UnknownField when parts.EvolveSchema => WaitFor(null, message),
            DecodeStatus.SchemaMissing => WaitFor(result.Missing, message),
            DecodeStatus.ChunkFull => Reject(message, "too_large", "the record alone exceeds what a chunk can hold"),
            _ => Reject(message, result.Error!.Code, result.Error.Message),
        };
    }

    /// <summary>There is no table yet to hold it. It is judged by the declared columns all the same, so that what is wrong with it is said
    /// as of any other record; if nothing is, the table can be made from it.</summary>
    private AppendStatus AppendFirst(in KafkaMessage message)
    {
        var declared = parts.Declared();
        var scratch = new ColumnChunk(declared.Columns, ChunkSizing.ForRows(1), parts.Memory.Account);
        try
        {
            decoder.Bind(scratch, declared.ValueColumns);
            var result = decoder.Decode(new SourceRecord(message));
            return result.Status == DecodeStatus.Bad ? Reject(message, result.Error!.Code, result.Error.Message) : WaitFor(result.Missing, message);
        }
        finally
        {
            scratch.Unpin();
        }
    }

    /// <summary>What the record waits for that <see cref="Append"/> has just said this of; it is among the samples already.</summary>
    public SchemaNeed TakeNeed()
    {
        var taken = need ?? throw new InvalidOperationException("no record waits");
        need = null;
        return taken;
    }

    /// <summary>What the record at this offset waited for has come, or never will. By the partition's writer.</summary>
    /// <param name="offset">Of the record, which is appended again next.</param>
    /// <param name="problem">Why it can never be a row; null where it is to be judged anew.</param>
    public void Answer(long offset, DecodeError? problem) => answered = answered.With(offset, problem);

    /// <summary>Unless the very thing was brought already, or this goes round and round.</summary>
    private AppendStatus WaitFor(SchemaReference? missing, in KafkaMessage message)
    {
        if (answered.CannotHelp(message.Offset, missing))
        {
            return missing is null
                ? Reject(message, "unknown_field", "the record has a field that no column holds, and the schema did not take it up")
                : Reject(message, "unknown_schema", $"the record names schema {missing.Id}, which was fetched and is missing still");
        }
        answered = answered.Asking(message.Offset, missing);
        need = missing is null ? SchemaNeed.OfColumns(parts.Format, new(message)) : SchemaNeed.OfSchema(missing);
        return AppendStatus.Waits;
    }

    /// <summary>A record that cannot be a row for a reason found outside decoding. Within a run only. Between an <see cref="Append"/> and
    /// this the run may have ended, and the partition with it.</summary>
    public AppendStatus Reject(in KafkaMessage message, string code, string reason)
    {
        if (closed || message.Offset < next)
        {
            return AppendStatus.Ignored;
        }
        if (parts.OnBadRecord == OnBadRecord.Fail)
        {
            throw new BadRecordException(Partition, message.Offset, code, reason);
        }
        return AppendLetter(message, code, reason);
    }

    private AppendStatus AppendLetter(in KafkaMessage message, string code, string reason)
    {
        OpenAt(message.Offset);
        if (open!.LastDeadLetterChunk is null)
        {
            var letters = new ColumnChunk(DeadLetterColumns.Columns, 16, parts.Memory.Account);
            open.AddDeadLetterChunk(letters);
            deadLetters = new(letters);
        }
        deadLetters!.Append(message, topicName, code, reason);
        MoveBehind(message.Offset);
        return AppendStatus.DeadLetter;
    }

    /// <summary>Moves past offsets that hold no records for us (control records, aborted transactions, compaction). Within a run
    /// only.</summary>
    public void AdvanceTo(long offset)
    {
        if (closed || offset <= Math.Max(next, 0))
        {
            return;
        }
        OpenAt(next < 0 ? offset : next);
        SkipTo(offset);
    }

    /// <summary>Moves past what was removed from the log before it was read, and publishes that at once: the gap is recorded with the next
    /// commit, whether records follow or not. The gap is what this holder has not read, whoever met it first: the partition may have been
    /// given up and assigned anew since. Takes the partition's lock itself; call it while the worker holds no message.</summary>
    /// <param name="low">The first offset that the log still has.</param>
    /// <returns>What was passed; null where nothing was, as the partition is closed, has not begun, or is at <paramref name="low"/> or
    /// beyond.</returns>
    public OffsetRange? SkipRemoved(long low)
    {
        lock (gate)
        {
            if (closed || next < 0 || next >= low)
            {
                return null;
            }
            var removed = new OffsetRange(next, low - 1);
            OpenAt(next);
            open!.Skip(removed, SkipKind.Retention);
            next = low;
            Publish();
            return removed;
        }
    }

    /// <summary>Freezes the open batch and hands it over, or returns null when there is nothing to commit.</summary>
    public HotBatch? Seal()
    {
        lock (gate)
        {
            return SealOpen();
        }
    }

    /// <summary>Takes no record from now on. What was appended stays, to be sealed.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (!closed)
            {
                closed = true;
                decoder.Dispose();
            }
        }
    }

    /// <summary>Takes no record from now on, and hands nothing over any more: what is not sealed is forgotten with its batch.</summary>
    public void Abandon()
    {
        lock (gate)
        {
            Close();
            if (open is not null)
            {
                parts.Hot.CountOpen(-open.UsedBytes);
                open = null;
            }
        }
    }

    private void Publish()
    {
        if (open is null)
        {
            return;
        }
        var isFirst = !open.IsWorthCommitting && next > open.StartOffset;
        if (isFirst)
        {
            open.PendingSince = parts.Time.GetTimestamp(); // before the flusher can see that it is worth a commit
        }
        parts.Hot.CountOpen(open.Publish(next));
        parts.Hot.Published.Raise();
        if (isFirst)
        {
            parts.Hot.FlushSignal.Raise();
        }
    }

    /// <summary>The record at this offset is in the open batch; what lies between it and the one before holds nothing for us.</summary>
    private void MoveBehind(long offset)
    {
        if (offset != next)
        {
            SkipTo(offset);
        }
        next = offset + 1;
    }

    private void SkipTo(long offset)
    {
        if (next >= 0 && next < offset)
        {
            open!.Skip(new(next, offset - 1), parts.KindOfGap(Partition.Topic));
        }
        next = offset;
    }

    private AppendStatus EndRow(in KafkaMessage message)
    {
        kafkaColumns!.Append(message, topicName);
        chunk!.EndRow();
        chunkInput += message.Size;
        MoveBehind(message.Offset);
        return AppendStatus.Row;
    }

    private HotBatch? SealOpen()
    {
        if (open is not { IsWorthCommitting: true } batch)
        {
            return null;
        }
        if (chunk is not null)
        {
            sizing = chunk.TakeSizing();
        }
        recorded = batch.NextOffset;
        parts.Hot.CountOpen(-batch.UsedBytes);
        batch.IsSealed = true;
        open = null;
        chunk = null;
        deadLetters = null;
        return batch;
    }

    private void OpenAt(long offset)
    {
        if (open is null)
        {
            open = new(Partition, recorded, next < 0 ? offset : next, parts.Time.GetTimestamp(), parts.PinsStart);
            parts.Hot.Add(open);
        }
    }

    private void PrepareChunk(TableSchema schema, long offset)
    {
        if (chunk is not null && ReferenceEquals(schema, boundSchema) && chunk.Rows < ChunkRows
            && chunkInput < parts.Memory.ChunkBytes)
        {
            return;
        }
        OpenAt(offset);
        if (chunk is not null)
        {
            chunk.Publish();
            sizing = chunk.TakeSizing();
        }
        chunk = new(schema.Columns, sizing, parts.Memory.Account);
        chunkInput = 0;
        open!.AddRowChunk(chunk);
        boundSchema = schema;
        decoder.Bind(chunk, schema.ValueColumns);
        kafkaColumns = new(schema, chunk);
    }
}
