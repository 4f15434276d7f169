using Frazil.DuckDb;

namespace Frazil.Query;

/// <summary>How much users' SQL may take, and what it may read.</summary>
public sealed record SqlExecutorOptions
{
    /// <summary>The program that serves as a worker when it is started with <see cref="Workers.SqlWorker.Verb"/>, an absolute path, with what comes before
    /// that; null to run statements in this process. Linux only; elsewhere they run in this process whatever stands here.</summary>
    public IReadOnlyList<string>? WorkerCommand { get; init; }

    /// <summary>Processes that run a statement at a time; more statements wait within their timeout.</summary>
    public int MaxWorkers { get; init; } = Math.Clamp(2 * Environment.ProcessorCount, 4, 8);

    /// <summary>Processes that wait for a statement.</summary>
    public int SpareWorkers { get; init; } = 1;

    /// <summary>How long none is started while there was no statement yet: whoever starts and stops soon needs none.</summary>
    public TimeSpan SpareWorkersAfter { get; init; } = TimeSpan.Zero;

    /// <summary>Megabytes (2^20) for the statement of one worker; beside them it may take <see cref="Workers.ProcessLimits.MemoryBesideMb"/> for itself.</summary>
    public int WorkerMemoryMb { get; init; } = 512;

    /// <summary>Megabytes (2^20) that the copies of hot rows may take which workers read; statements wait for each other beyond. One that needs more
    /// goes alone.</summary>
    public int MaxHotCopyMb { get; init; } = 1024;

    /// <summary>Megabytes (2^20) that one worker may spill: together they keep to <see cref="MaxSpillMb"/>.</summary>
    internal int WorkerSpillMb => Math.Max(1, MaxSpillMb / MaxWorkers);

    /// <summary>Statements run in workers.</summary>
    internal bool HasWorkers => WorkerCommand is not null && OperatingSystem.IsLinux();

    /// <summary>Folders in which cold files lie; SQL can open nothing else. Absolute or relative to the working directory.</summary>
    public IReadOnlyList<string> Directories { get; init; } = [];

    /// <summary>Threads that run queries beside those that wait for them; all queries share them.</summary>
    public int Threads { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Megabytes (2^20) for all queries together; a query that needs more fails, others go on.</summary>
    public int MemoryLimitMb { get; init; } = 1024;

    /// <summary>A folder for what does not fit in memory while sorting and joining; null to fail instead.</summary>
    public string? SpillDirectory { get; init; }

    /// <summary>Megabytes (2^20) that may lie there at a time; a query that needs more fails.</summary>
    public int MaxSpillMb { get; init; } = 10 * 1024;

    /// <summary>Queries run at a time; more wait within their timeout.</summary>
    public int MaxConcurrent { get; init; } = 16;

    /// <summary>How long an interrupted query is waited for. What does not end by then is given up: its caller is answered, its thread and
    /// its seat stay taken until it ends.</summary>
    public TimeSpan InterruptGrace { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Rows that a result may have which is read as a whole; more is an error, because it is held in memory.</summary>
    public int MaxResultRows { get; init; } = 1_000_000;

    /// <summary>Bytes that the values of a result may take which is read as a whole, counted as <see cref="ValueBudget"/> says, and those of
    /// one chunk (2048 rows) of any other; more is an error. This alone keeps a query that makes long texts from taking the memory that
    /// ingest needs.</summary>
    public long MaxResultBytes { get; init; } = 256L << 20;

    /// <summary>Bytes that a result may hold on its way to a slow reader. Until all its rows are computed, a query keeps its seat and the hot
    /// rows that it reads.</summary>
    public long MaxWaitingBytes { get; init; } = 32L << 20;

    /// <summary>Bytes that all results may hold so; beyond them each holds one chunk.</summary>
    public long MaxAllWaitingBytes { get; init; } = 256L << 20;

    /// <summary>A query whose result is full fails when its reader takes nothing for so long.</summary>
    public TimeSpan ReaderPatience { get; init; } = TimeSpan.FromSeconds(10);
}
