using System.Text;
using System.Text.RegularExpressions;
using Frazil.Log;
using Xunit;

namespace Frazil.Tests.Log;

/// <summary>The transaction log on disk: what is written is read again, and whatever is damaged is told and ends nothing (LESSONS
/// 14).</summary>
public sealed partial class TransactionLogTests : IDisposable
{
    private static readonly LogOpened Opened = new("shop.events", Guid.NewGuid(), 7, [new("events", 0, 10)]);

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-log-{Guid.NewGuid():N}", "shop.events");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Path.GetDirectoryName(folder) is { } parent && Directory.Exists(parent))
        {
            Directory.Delete(parent, recursive: true);
        }
    }

    [Fact]
    public async Task Every_kind_is_read_as_it_was_written()
    {
        LogEntry[] entries =
        [
            new BufferSnapshot("f1", [new("events", 0, 10, 10, 20, 9, 1)]),
            Written("f1", unit: 0, of: 1),
            new OffsetCommit("f1", [new("events", 0, null, 20)]),
            new IcebergSnapshotCreated("f1", 42, 3, [new("events", 0, 10, 20)]),
            new GapRecorded("events", 0, "retention", 5, 9),
            new FlushComplete("f1", "committed", 9),
            new SchemaVersion(2, "id long"),
            new MaintenanceStarted("replay", "m1", "events[0]:1..2"),
            new MaintenanceApplied("replay", "m1", 43, "2 rows"),
        ];
        await WriteAsync(entries);

        var read = LogSegments.Read(folder).Skip(1).Select(static record => record.Entry!).ToList();
        Assert.Equal(entries.Select(static entry => entry.GetType()), read.Select(static entry => entry.GetType()));
        Assert.Equal(
            Enumerable.Range(2, entries.Length).Select(static number => (long)number), read.Select(static entry => entry.Sequence));
        Assert.All(
            entries.Zip(read),
            static pair => Assert.Equal(
                Encode(pair.First with { Sequence = pair.Second.Sequence, At = pair.Second.At }), Encode(pair.Second)));
        var opened = Assert.IsType<LogOpened>(LogSegments.Read(folder).First().Entry);
        Assert.Equal(
            (Opened.Table, Opened.TableUuid, Opened.SnapshotId, 10L),
            (opened.Table, opened.TableUuid, opened.SnapshotId, opened.Offsets[0].Next));
    }

    [Fact]
    public async Task Only_its_user_may_read_it()
    {
        await WriteAsync(new BufferSnapshot("f1", []));
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
    }

    [Fact]
    public async Task A_torn_last_line_is_told_and_everything_before_it_counts()
    {
        await WriteAsync(new BufferSnapshot("f1", []), new BufferSnapshot("f2", []));
        var path = Segments()[^1];
        await using (var file = new FileStream(path, FileMode.Open))
        {
            file.SetLength(file.Length - 9);
        }

        var scan = Reopen();

        Assert.Equal((2L, 1L), (scan.Entries, scan.Damaged));
        Assert.Equal(["f1"], scan.Unfinished.Select(static flush => flush.Id));
        await WriteAsync(new FlushComplete("f1", "committed", 0));
        Assert.Empty(Reopen().Unfinished);
    }

    [Fact]
    public async Task One_flipped_bit_anywhere_loses_its_own_line_and_no_other()
    {
        await WriteAsync([.. Enumerable.Range(0, 20).Select(static i => new FlushComplete($"f{i}", "committed", i))]);
        var path = Segments()[^1];
        var sound = await File.ReadAllBytesAsync(path, Cancel);
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var bytes = (byte[])sound.Clone();
            var position = random.Next(bytes.Length);
            bytes[position] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(path, bytes, Cancel);

            var scan = LogScan.Of(LogSegments.Read(folder));

            // A line feed that appears, or goes, breaks one line in two or joins two; nothing else may suffer.
            Assert.InRange(scan.Damaged, 1, 2);
            Assert.InRange(scan.Entries, 19, 20);
        }
    }

    [Fact]
    public async Task An_entry_of_an_unknown_kind_or_of_a_newer_version_is_shown_and_passed_over()
    {
        await WriteAsync(new BufferSnapshot("f1", []));
        AppendLine("""{"kind":"QuantumEntangled","v":1,"seq":3,"at":"2027-01-01T00:00:00+00:00","spin":"up" """.TrimEnd());
        AppendLine("""{"kind":"FlushComplete","v":2,"seq":4,"at":"2027-01-01T00:00:00+00:00","flush_renamed":"f1" """.TrimEnd());

        var scan = LogScan.Of(LogSegments.Read(folder));

        Assert.Equal((4L, 0L, 2L), (scan.Entries, scan.Damaged, scan.Unknown));
        Assert.Equal("f1", Assert.Single(scan.Unfinished).Id);
        Assert.Contains(
            "spin", LogSegments.Read(folder).Select(static record => record.Entry).OfType<UnknownEntry>().First().Body.GetRawText(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Numbers_go_on_after_a_restart_and_no_segment_is_written_again()
    {
        await WriteAsync(new SchemaVersion(0, "a"));
        var before = await File.ReadAllBytesAsync(Segments()[0], Cancel);

        await WriteAsync(new SchemaVersion(1, "b"));

        Assert.Equal(2, Segments().Count);
        Assert.Equal(before, await File.ReadAllBytesAsync(Segments()[0], Cancel));
        Assert.Equal([1L, 2, 3, 4], LogSegments.Read(folder).Select(static record => record.Entry!.Sequence));
    }

    [Fact]
    public async Task The_log_stays_small_but_keeps_what_an_unfinished_flush_needs()
    {
        using var log = new TransactionLog(folder, TimeProvider.System, new(SegmentBytes: 4_000, MostSegments: 3));
        log.Open(Opened);
        for (var i = 0; i < 400; i++)
        {
            await log.AppendAsync([new BufferSnapshot($"f{i}", []), new FlushComplete($"f{i}", "committed", 1)], sync: false, Cancel);
        }
        Assert.InRange(Segments().Count, 2, 4);

        await log.AppendAsync([new BufferSnapshot("stuck", [])], sync: true, Cancel);
        for (var i = 400; i < 800; i++)
        {
            await log.AppendAsync([new BufferSnapshot($"f{i}", []), new FlushComplete($"f{i}", "committed", 1)], sync: false, Cancel);
        }
        Assert.Equal("stuck", Assert.Single(LogScan.Of(LogSegments.Read(folder)).Unfinished).Id);
        await log.AppendAsync([new FlushComplete("stuck", "committed", 1)], sync: true, Cancel);
        for (var i = 800; i < 1000; i++)
        {
            await log.AppendAsync([new BufferSnapshot($"f{i}", []), new FlushComplete($"f{i}", "committed", 1)], sync: false, Cancel);
        }
        Assert.InRange(Segments().Count, 2, 4);
    }

    [Fact]
    public async Task What_a_failed_append_left_is_cut_off_by_the_next_one()
    {
        using var log = new TransactionLog(folder, TimeProvider.System);
        log.Open(Opened);
        await File.AppendAllTextAsync(Segments()[^1], "{\"kind\":\"half a li", Cancel);

        await log.AppendAsync([new SchemaVersion(0, "a")], sync: true, Cancel);

        Assert.All(LogSegments.Read(folder), static record => Assert.Null(record.Damage));
        Assert.Equal(2, LogSegments.Read(folder).Count());
    }

    [Fact]
    public async Task A_log_in_a_folder_that_cannot_be_made_is_an_IO_error_that_names_it()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        await File.WriteAllTextAsync(folder, "a file where the folder should be", Cancel);
        using var log = new TransactionLog(folder, TimeProvider.System);

        var error = Assert.ThrowsAny<IOException>(() => log.Open(Opened));

        Assert.Contains(folder, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_text_of_a_line_is_fixed_because_other_versions_read_it()
    {
        var entry = new FlushComplete("f1", "committed", 9) { Sequence = 12, At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero) };

        Assert.Equal(
            "{\"kind\":\"FlushComplete\",\"v\":1,\"seq\":12,\"at\":\"2026-01-02T03:04:05+00:00\",\"flush\":\"f1\",\"outcome\":\"committed\",\"rows\":9,\"crc\":\"CRC\"}\n",
            Crc().Replace(Encode(entry), "\"crc\":\"CRC\""));
        Assert.EndsWith("\"crc\":\"3e102ebb\"}\n", Encode(entry), StringComparison.Ordinal);
    }

    private static ParquetWritten Written(string flush, int unit, int of) => new(
        flush, Guid.NewGuid(), unit, of, [new("events", 0, 10, 20)], 1,
        new()
        {
            Path = "file:///w/f1-0.parquet",
            Rows = 9,
            Bytes = 1000,
            SpecId = 1,
            Partition = [[1, 2], null],
            SplitOffsets = [4],
            ColumnSizes = new Dictionary<int, long> { [3] = 5 },
            LowerBounds = new Dictionary<int, byte[]> { [3] = [9, 8] },
        },
        new string('a', 64));

    private static string Encode(LogEntry entry) => Encoding.UTF8.GetString(LogLine.Encode(entry));

    private async Task WriteAsync(params IReadOnlyList<LogEntry> entries)
    {
        using var log = new TransactionLog(folder, TimeProvider.System);
        log.Open(Opened);
        await log.AppendAsync(entries, sync: true, Cancel);
    }

    private LogScan Reopen()
    {
        using var log = new TransactionLog(folder, TimeProvider.System);
        return log.Open(Opened);
    }

    private List<string> Segments() => [.. LogSegments.In(folder).Select(number => LogSegments.PathOf(folder, number))];

    /// <summary>As a newer version would write it: with a right checksum.</summary>
    private void AppendLine(string body)
    {
        var crc = uint.MaxValue;
        foreach (var one in Encoding.UTF8.GetBytes(body))
        {
            crc = System.Numerics.BitOperations.Crc32C(crc, one);
        }
        File.AppendAllText(Segments()[^1], $"{body},\"crc\":\"{~crc:x8}\"}}\n");
    }

    [GeneratedRegex("\"crc\":\"[0-9a-f]{8}\"")]
    private static partial Regex Crc();
}
