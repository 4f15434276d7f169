using System.Runtime.InteropServices;
using System.Text;
using Frazil.Columnar;
using Frazil.Config;
using Frazil.Formats;
using Frazil.Formats.Json;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Kafka;
using Frazil.Kafka.Native;
using Xunit;

namespace Frazil.Tests.Hot;

/// <summary>Offsets that hold neither a row nor a dead letter are noted by the batch that passes them.</summary>
public sealed partial class HotPartitionTests : IDisposable
{
    private static readonly TopicPartition Place = new("events", 0);

    private readonly HotBuffer hot = new();
    private SkipKind kind = SkipKind.Transaction;
    private int asked;

    public HotPartitionTests() => RdKafkaLibrary.Load();

    public void Dispose()
    {
        foreach (var batch in hot.Batches)
        {
            hot.Evict(batch);
        }
    }

    [Fact]
    public void Offsets_in_a_row_leave_no_gap_and_ask_nothing()
    {
        var partition = Open(null);
        partition.BeginAt(7);
        Append(partition, 7, 8, 9);

        var batch = partition.Seal()!;

        Assert.Null(batch.Skipped);
        Assert.Equal((7L, 10L), (batch.StartOffset, batch.NextOffset));
        Assert.Equal(0, asked);
    }

    [Fact]
    public void A_jump_between_records_and_a_move_past_control_records_are_gaps_of_the_topics_kind()
    {
        var partition = Open(10);
        Append(partition, 12, 13, 20);
        Advance(partition, 25);
        Advance(partition, 26);

        var batch = partition.Seal()!;

        Assert.Equal(
            [new(new(10, 11), SkipKind.Transaction), new(new(14, 19), SkipKind.Transaction), new(new(21, 25), SkipKind.Transaction)],
            batch.Skipped!.Ranges);
        Assert.Equal(13, batch.Skipped.CountOf(SkipKind.Transaction));
        Assert.Equal(batch.NextOffset - batch.StartOffset, batch.RowCount + 13);
    }

    [Fact]
    public void A_gap_before_a_dead_letter_counts_and_the_letter_itself_does_not()
    {
        kind = SkipKind.Compaction;
        var partition = Open(0);
        partition.BeginRun();
        Assert.Equal(AppendStatus.DeadLetter, AppendOne(partition, 5, "not json"));
        partition.EndRun();

        var batch = partition.Seal()!;

        Assert.Equal([new(new(0, 4), SkipKind.Compaction)], batch.Skipped!.Ranges);
        Assert.Equal(1, batch.DeadLetterCount);
    }

    [Fact]
    public void Where_reading_begins_is_no_gap()
    {
        var partition = Open(null);
        Append(partition, 50, 51);

        Assert.Null(partition.Seal()!.Skipped);

        var idle = Open(null);
        Advance(idle, 9);
        Assert.Equal(9, idle.NextOffset);
        Assert.Null(idle.Seal());
    }

    [Fact]
    public void A_batch_after_a_sealed_one_notes_only_its_own_gaps()
    {
        var partition = Open(0);
        Append(partition, 3);
        Assert.Equal(3, partition.Seal()!.Skipped!.CountOf(SkipKind.Transaction));
        Append(partition, 4);
        Assert.Null(partition.Seal()!.Skipped);
        Append(partition, 6);
        Assert.Equal([new(new(5, 5), SkipKind.Transaction)], partition.Seal()!.Skipped!.Ranges);
    }

    [Fact]
    public void What_retention_removed_is_passed_at_once_without_a_record()
    {
        var partition = Open(10);

        Assert.Equal(new OffsetRange(10, 99), partition.SkipRemoved(100));

        Assert.NotNull(partition.OpenBatch);
        var batch = partition.Seal()!;
        Assert.Equal((10L, 100L), (batch.RecordedOffset, batch.NextOffset));
        Assert.Equal([new(new(10, 99), SkipKind.Retention)], batch.Skipped!.Ranges);
        Assert.Null(partition.SkipRemoved(100)); // the same gap told twice
        Append(partition, 100);
        Assert.Null(partition.Seal()!.Skipped);
    }

    [Fact]
    public void The_list_of_gaps_is_bounded_and_the_counts_stay_exact()
    {
        var partition = Open(0);
        Append(partition, [.. Enumerable.Range(0, 5_000).Select(i => (2L * i) + 1)]);
        partition.SkipRemoved(10_010);

        var skipped = partition.Seal()!.Skipped!;

        Assert.Equal(5_000, skipped.CountOf(SkipKind.Transaction));
        Assert.Equal(SkippedOffsets.MostRanges, skipped.Ranges.Count(static range => range.Kind == SkipKind.Transaction));
        Assert.Equal(5_000 - SkippedOffsets.MostRanges, skipped.Unlisted);
        Assert.Equal(new(new(10_000, 10_009), SkipKind.Retention), skipped.Ranges[^1]);
    }

    [Fact]
    public void A_record_that_stops_the_table_leaves_no_gap_before_it()
    {
        var partition = Open(0, OnBadRecord.Fail);
        Append(partition, 0);
        partition.BeginRun();
        Assert.ThrowsAny<BadRecordException>(() => AppendOne(partition, 9, "not json"));
        partition.EndRun();

        var batch = partition.Seal()!;

        Assert.Equal(1, batch.NextOffset);
        Assert.Null(batch.Skipped);
    }

    /// <summary>A fence while the schema evolves: the worker comes back with a problem to a partition that is no longer its own.</summary>
    [Fact]
    public void A_record_that_is_rejected_after_the_partition_was_closed_leaves_no_letter_and_moves_no_position()
    {
        var partition = Open(0);
        Append(partition, 0);
        Assert.NotNull(partition.Seal());
        partition.Close();

        Assert.Equal(AppendStatus.Ignored, With(1, "{}", partition, static (HotPartition partition, in KafkaMessage message) => partition.Reject(message, "unknown_field", "evolution failed")));

        Assert.Equal(1, partition.NextOffset);
        Assert.Null(partition.Seal());
        Assert.DoesNotContain(hot.Batches, static batch => batch.StartOffset == 1);
    }

    [Fact]
    public void A_partition_that_closes_frees_the_scratch_memory_of_its_decoder_once()
    {
        var decoder = new CountingDecoder();
        var partition = Open(0, format: new FormatOf(decoder));
        partition.Close();
        partition.Close();

        Assert.Equal(1, decoder.Disposed);
    }

    [Theory]
    [InlineData(-1L, null)]
    [InlineData(0L, 0L)]
    [InlineData(-2L, -2000L)]
    [InlineData(-1000L, -1000000L)]
    [InlineData(-9223372022400000L, -9223372022400000000L)]
    [InlineData(-9223372022400001L, null)]
    [InlineData(long.MinValue, null)]
    [InlineData(9223372036854775L, 9223372036854775000L)]
    [InlineData(9223372036854776L, null)]
    [InlineData(long.MaxValue, null)]
    public void A_timestamp_that_microseconds_cannot_say_is_null_and_no_other_time(long milliseconds, long? microseconds)
        => Assert.Equal(microseconds, KafkaColumns.ToMicroseconds(milliseconds));

    /// <summary>The flusher sleeps while nothing is worth a commit. Rows are not all that is.</summary>
    [Fact]
    public void What_becomes_worth_a_commit_wakes_the_flusher_once()
    {
        var partition = Open(0);
        Wakes(() => RunOne(partition, 0, """{"id":1}"""));
        Sleeps(() => RunOne(partition, 1, """{"id":2}"""));
        partition.Seal();
        Wakes(() =>
        {
            partition.BeginRun();
            partition.AdvanceTo(7);
            partition.EndRun();
        });
        partition.Seal();
        Wakes(() => partition.SkipRemoved(9));
        partition.Seal();
        Wakes(() => RunOne(partition, 9, "no record"));
        Sleeps(() => Open(null).BeginAt(5));
        Wakes(() => Open(null, pinsStart: true).BeginAt(5));

        void Wakes(Action action) => Assert.True(HasWoken(action));
        void Sleeps(Action action) => Assert.False(HasWoken(action));

        bool HasWoken(Action action)
        {
            var raised = hot.FlushSignal.Next();
            action();
            return raised.IsCompleted;
        }
    }

    /// <summary>The hostile suite, seed 20261205, round 17: a rollback had a partition read again twice at the same time; what the first had read
    /// until the second came stayed, and no flush took it.</summary>
    [Fact]
    public void What_was_read_of_a_partition_goes_when_it_is_held_anew()
    {
        var first = Open(0);
        hot.Hold(first);
        RunOne(first, 0, """{"id":1}""");
        var second = Open(0);

        hot.Hold(second);

        Assert.Equal(AppendStatus.Ignored, RunOne(first, 1, """{"id":2}"""));
        RunOne(second, 0, """{"id":1}""");
        Assert.Same(second.OpenBatch, Assert.Single(hot.Batches));
        Assert.Equal(second.OpenBatch!.UsedBytes, hot.OpenBytes);
        Assert.Same(second, Assert.Single(hot.Partitions));
    }

    private static AppendStatus RunOne(HotPartition partition, long offset, string value)
    {
        partition.BeginRun();
        try
        {
            return AppendOne(partition, offset, value);
        }
        finally
        {
            partition.EndRun();
        }
    }

    private HotPartition Open(
        long? recorded, OnBadRecord onBadRecord = OnBadRecord.Dlq, bool hasTable = true, RecordFormat? format = null, bool evolves = false,
        bool pinsStart = false)
    {
        var schema = new TableSchema(
            new Schema(0, [new NestedField(1, "id", false, IcebergType.Long), new NestedField(2, "kafka_offset", false, IcebergType.Long)]),
            ["kafka_offset"]);
        return new(Place, recorded, new()
        {
            Hot = hot,
            Memory = new MemoryBudget(1L << 30).Join(),
            Time = TimeProvider.System,
            Schema = () => hasTable ? schema : null,
            Declared = () => schema,
            Format = format ?? new JsonFormat(),
            OnBadRecord = onBadRecord,
            EvolveSchema = evolves,
            PinsStart = pinsStart,
            KindOfGap = topic =>
            {
                Assert.Equal("events", topic);
                asked++;
                return kind;
            },
        });
    }

    private static void Append(HotPartition partition, params IEnumerable<long> offsets)
    {
        partition.BeginRun();
        foreach (var offset in offsets)
        {
            Assert.Equal(AppendStatus.Row, AppendOne(partition, offset, $$"""{"id":{{offset}}}"""));
        }
        partition.EndRun();
    }

    private static void Advance(HotPartition partition, long offset)
    {
        partition.BeginRun();
        partition.AdvanceTo(offset);
        partition.EndRun();
    }

    private static AppendStatus AppendOne(HotPartition partition, long offset, string? value)
        => With(offset, value, partition, static (HotPartition partition, in KafkaMessage message) => partition.Append(message));

    private delegate AppendStatus Take(HotPartition partition, in KafkaMessage message);

    /// <summary>A message as librdkafka would hand it over; what lies behind the public fields is zero.</summary>
    private static unsafe AppendStatus With(long offset, string? value, HotPartition partition, Take take)
    {
        var bytes = Encoding.UTF8.GetBytes(value ?? "");
        var native = (RdKafkaMessage*)NativeMemory.AllocZeroed(1024);
        try
        {
            fixed (byte* payload = value is null ? null : bytes.Length > 0 ? bytes : new byte[1])
            {
                native->Payload = payload;
                native->Length = (nuint)bytes.Length;
                native->Offset = offset;
                return take(partition, new KafkaMessage(native, null!));
            }
        }
        finally
        {
            NativeMemory.Free(native);
        }
    }

    private sealed class FormatOf(RecordDecoder decoder) : RecordFormat
    {
        public override RecordDecoder CreateDecoder() => decoder;

        public override RecordSamples CreateSamples() => new JsonSamples();
    }

    private sealed class CountingDecoder : RecordDecoder
    {
        public int Disposed { get; private set; }

        public override void Bind(ColumnChunk chunk, IReadOnlyList<int> positions)
        {
        }

        public override DecodeResult Decode(in SourceRecord record) => new(DecodeStatus.Ok, null);

        public override void Dispose() => Disposed++;
    }
}
