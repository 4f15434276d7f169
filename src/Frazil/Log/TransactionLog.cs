using Frazil.Faults;

namespace Frazil.Log;

/// <summary>
/// A table's transaction log on local disk (invariant 8): append-only, a checksum a line, synced at each boundary of a flush, bounded in
/// size. A segment is never written again after a restart; a failed append is cut off before the next one. Losing it loses nothing.
/// Thread-safe.
/// </summary>
internal sealed class TransactionLog(string folder, TimeProvider time, TransactionLogOptions? options = null) : IDisposable
{
    private readonly TransactionLogOptions options = options ?? new();
    private readonly Lock gate = new();

    /// <summary>Flushes that began and did not end, with the segment they began in: it and what follows must stay.</summary>
    private readonly Dictionary<string, long> unfinished = new(StringComparer.Ordinal);
    private FileStream? file;
    private long segment;
    private long length;
    private long sequence;
    private LogOpened? heading;

    public string Folder => folder;

    /// <summary>How often data was forced to disk so far, folders included.</summary>
    public long Syncs { get; private set; }

    /// <summary>Reads what an earlier process left and begins a new segment. Call it once, before anything is appended.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public LogScan Open(LogOpened opened)
    {
        lock (gate)
        {
            var scan = LogScan.Of(LogSegments.Read(folder));
            (sequence, segment, heading) = (scan.LastSequence, LogSegments.In(folder).LastOrDefault(), opened);
            foreach (var flush in scan.Unfinished)
            {
                unfinished[flush.Id] = flush.Segment;
            }
            DurableFiles.CreateDirectory(folder);
            BeginSegment();
            return scan;
        }
    }

    /// <summary>Appends entries, all or none. On return they are on disk, when <paramref name="sync"/> asks for it.</summary>
    /// <exception cref="IOException">The disk is full or broken; nothing was appended, and appending again may work.</exception>
    public Task AppendAsync(IReadOnlyList<LogEntry> entries, bool sync, CancellationToken cancellationToken)
        => Task.Run(() => Append(entries, sync), cancellationToken);

    public void Dispose()
    {
        lock (gate)
        {
            file?.Dispose();
            file = null;
        }
    }

    private void Append(IReadOnlyList<LogEntry> entries, bool sync)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(file is null, this);
            if (length >= options.SegmentBytes)
            {
                BeginSegment();
            }
            Write(entries, sync);
        }
    }

    private void Write(IReadOnlyList<LogEntry> entries, bool sync)
    {
        var bytes = new MemoryStream();
        var number = sequence;
        foreach (var entry in entries)
        {
            bytes.Write(LogLine.Encode(entry with { Sequence = ++number, At = time.GetUtcNow() }));
        }
        if (RandomAccess.GetLength(file!.SafeFileHandle) > length)
        {
            file.SetLength(length); // what a failed append left
        }
        RandomAccess.Write(file.SafeFileHandle, bytes.GetBuffer().AsSpan(0, (int)bytes.Length), length);
        FaultPoint.ReachFile("log.append", file.Name);
        if (sync)
        {
            RandomAccess.FlushToDisk(file.SafeFileHandle);
            Syncs++;
            FaultPoint.Reach("log.synced");
        }
        (length, sequence) = (length + bytes.Length, number);
        foreach (var entry in entries)
        {
            Note(entry);
        }
    }

    private void Note(LogEntry entry)
    {
        if (entry is BufferSnapshot sealedFlush)
        {
            unfinished.TryAdd(sealedFlush.Flush, segment);
        }
        else if (entry is FlushComplete done)
        {
            unfinished.Remove(done.Flush);
        }
    }

    private void BeginSegment()
    {
        var next = segment + 1;
        var fresh = new FileStream(LogSegments.PathOf(folder, next), Options());
        file?.Dispose();
        (file, segment, length) = (fresh, next, 0);
        Write([heading!], sync: true);
        DurableFiles.SyncDirectory(folder);
        Syncs++;
        DropOldSegments();
    }

    /// <summary>It tells of keys and bad records' reasons: this user's business alone.</summary>
    private static FileStreamOptions Options()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        return options;
    }

    private void DropOldSegments()
    {
        var needed = unfinished.Values.Append(segment).Min();
        foreach (var number in LogSegments.In(folder).Where(number => number < needed && number <= segment - options.MostSegments))
        {
            File.Delete(LogSegments.PathOf(folder, number));
        }
    }
}

/// <param name="SegmentBytes">A segment that has grown beyond it is followed by a new one.</param>
/// <param name="MostSegments">Older ones are deleted, unless a flush that began in them is not complete.</param>
internal sealed record TransactionLogOptions(long SegmentBytes = 4L << 20, int MostSegments = 8);
