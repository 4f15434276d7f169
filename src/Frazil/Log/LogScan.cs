namespace Frazil.Log;

/// <summary>What a log says, read from its first line to its last.</summary>
internal sealed record LogScan
{
    public long Entries { get; private set; }

    /// <summary>Lines that could not be used, or are missing between two sequence numbers.</summary>
    public long Damaged { get; private set; }

    /// <summary>Sound lines of a kind or version that this software does not know.</summary>
    public long Unknown { get; private set; }

    public long LastSequence { get; private set; }

    /// <summary>Flushes that were begun and not completed, in the order in which they were sealed.</summary>
    public IReadOnlyList<UnfinishedFlush> Unfinished { get; private set; } = [];

    public static LogScan Of(IEnumerable<LogRecord> records)
    {
        var scan = new LogScan();
        var open = new Dictionary<string, UnfinishedFlush>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            scan.Take(record, open);
        }
        scan.Unfinished = [.. open.Values.OrderBy(static flush => flush.FirstSequence)];
        return scan;
    }

    private void Take(LogRecord record, Dictionary<string, UnfinishedFlush> open)
    {
        if (record.Entry is not { } entry)
        {
            Damaged++;
            return;
        }
        Entries++;
        LastSequence = Math.Max(LastSequence, entry.Sequence);
        switch (entry)
        {
            case UnknownEntry:
                Unknown++;
                break;
            case BufferSnapshot { Flush: var id }:
                Of(id, record, open);
                break;
            case ParquetWritten written:
                Of(written.Flush, record, open).Files.Add(written);
                break;
            case OffsetCommit { Flush: var id }:
                Of(id, record, open).WasOffered = true;
                break;
            case IcebergSnapshotCreated { Flush: var id }:
                Of(id, record, open).WasOffered = true;
                break;
            case FlushComplete { Flush: var id }:
                open.Remove(id);
                break;
        }
    }

    /// <summary>Any entry of a flush makes it known: the first one may have been damaged.</summary>
    private static UnfinishedFlush Of(string id, LogRecord record, Dictionary<string, UnfinishedFlush> open)
    {
        if (!open.TryGetValue(id, out var flush))
        {
            open.Add(id, flush = new(id, record.Segment, record.Entry!.Sequence));
        }
        return flush;
    }
}

/// <summary>A flush that a dead process had begun.</summary>
/// <param name="Id">The flush id: its files are named after it.</param>
/// <param name="Segment">The log segment it began in.</param>
/// <param name="FirstSequence">Orders flushes.</param>
internal sealed record UnfinishedFlush(string Id, long Segment, long FirstSequence)
{
    public List<ParquetWritten> Files { get; } = [];

    /// <summary>True when the catalog was, or may have been, asked to commit it.</summary>
    public bool WasOffered { get; set; }

    /// <summary>Units all of whose files were logged, in order.</summary>
    public IEnumerable<IReadOnlyList<ParquetWritten>> WholeUnits()
        => Files.DistinctBy(static file => file.File.Path).GroupBy(static file => file.Unit).OrderBy(static unit => unit.Key)
            .Select(static unit => (IReadOnlyList<ParquetWritten>)[.. unit]).Where(static unit => unit.Count == unit[0].UnitFiles);
}
