using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;

namespace Frazil.Replay;

/// <summary>Which records to read from Kafka again, and where their rows go.</summary>
public sealed record ReplayRequest
{
    /// <summary>A configured table, <c>namespace.table</c>.</summary>
    public required string Table { get; init; }

    /// <summary>The topic; may be null where the table has only one.</summary>
    public string? Topic { get; init; }

    public required int Partition { get; init; }

    /// <summary>The first offset.</summary>
    public required long From { get; init; }

    /// <summary>The last offset, itself included.</summary>
    public required long To { get; init; }

    /// <summary>Replace the rows on this branch, made at the head of main where it does not exist; main stays as it is.</summary>
    public string? Branch { get; init; }

    /// <summary>Put the rows into this table instead, made like the replayed one where it does not exist.</summary>
    public string? Into { get; init; }

    /// <summary>Only say what would be done; nothing is read from Kafka, written or created.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>Looks at what is wrong whatever the table holds.</summary>
    /// <exception cref="ReplayException">Something is; <see cref="ReplayException.IsBadRequest"/> is set.</exception>
    internal void Check()
    {
        if (From < 0 || From > To)
        {
            throw new ReplayException(
                $"--from is {From} and --to is {To}: give the first and the last offset of the range, both at least 0")
            {
                IsBadRequest = true,
            };
        }
        if (Branch is not null && Into is not null)
        {
            throw new ReplayException("--branch and --into are given: choose the one or the other") { IsBadRequest = true };
        }
        try
        {
            _ = Into is null ? null : TableIdentifier.Parse(Into);
        }
        catch (ValidationException error)
        {
            throw new ReplayException(error.Message, error) { IsBadRequest = true };
        }
    }
}

/// <summary>What a replay did, or would do.</summary>
public sealed record ReplayReport
{
    /// <summary>Names the replay in the snapshots it made (<c>frazil.flush-id</c>).</summary>
    public required string ReplayId { get; init; }

    /// <summary>The table that was changed.</summary>
    public required string Table { get; init; }

    /// <summary>The branch that was changed.</summary>
    public required string Branch { get; init; }

    public required TopicPartition Partition { get; init; }

    public required long From { get; init; }

    public required long To { get; init; }

    public required bool IsDryRun { get; init; }

    /// <summary>Records that Kafka delivered; in a dry run 0.</summary>
    public long Records { get; init; }

    /// <summary>Rows that took the place of <see cref="RowsRemoved"/>.</summary>
    public long RowsAdded { get; init; }

    /// <summary>Rows of the range that were in the table before.</summary>
    public long RowsRemoved { get; init; }

    /// <summary>Files of which every row was in the range: taken out of the table.</summary>
    public int FilesRemoved { get; init; }

    /// <summary>Those of the removed that were gone from the store or cut short; <see cref="RowsRemoved"/> counts the rows they were committed
    /// with.</summary>
    public int FilesUnreadable { get; init; }

    /// <summary>Files that were written anew without the range's rows.</summary>
    public int FilesRewritten { get; init; }

    /// <summary>Files that hold the range's rows now.</summary>
    public int FilesAdded { get; init; }

    /// <summary>Records that do not fit the table now and were no dead letters before.</summary>
    public long LettersAdded { get; init; }

    /// <summary>Records that were dead letters and are rows now; in a dry run, the dead letters of the range.</summary>
    public long LettersRemoved { get; init; }

    /// <summary>The commit; null where nothing had to change, or in a dry run.</summary>
    public long? SnapshotId { get; init; }

    public TimeSpan Elapsed { get; init; }
}

/// <summary>How far a replay is.</summary>
/// <param name="Step">What is done now, for people.</param>
/// <param name="NextOffset">The next offset to be read.</param>
/// <param name="Records">Records read so far.</param>
/// <param name="Bytes">Bytes of their keys and values.</param>
public readonly record struct ReplayProgress(string Step, long NextOffset, long Records, long Bytes);

/// <summary>A replay was refused or had to stop; the table is as it was, unless the message says otherwise.</summary>
public sealed class ReplayException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True where the request contradicts itself, whatever the table and Kafka hold.</summary>
    public bool IsBadRequest { get; init; }
}
