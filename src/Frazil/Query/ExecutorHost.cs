using System.Globalization;
using Frazil.Cold;
using Frazil.DuckDb;

namespace Frazil.Query;

/// <summary>A sandboxed DuckDB instance with its idle sessions. Closes itself when it is retired and the last session has come back.
/// Thread-safe.</summary>
internal sealed class ExecutorHost
{
    private readonly DuckDbInstance duck;
    private readonly SpillFolder? spill;
    private readonly FileColumns files = new();
    private readonly Stack<HostedSession> idle = new();
    private readonly Lock gate = new();
    private int lastSession;
    private int taken;
    private bool isRetired;

    public ExecutorHost(SqlExecutorOptions options)
    {
        spill = options.SpillDirectory is { } folder ? SpillFolder.TryCreate(folder) : null;
        try
        {
            duck = Open(options, spill?.Path);
        }
        catch
        {
            spill?.Dispose();
            throw;
        }
    }

    /// <summary>An instance that reads nothing but the folders which <paramref name="options"/> names, and whose settings are locked.</summary>
    internal static DuckDbInstance Open(SqlExecutorOptions options, string? spill)
    {
        var settings = new Dictionary<string, string>
        {
            ["threads"] = options.Threads.ToString(CultureInfo.InvariantCulture),
            ["memory_limit"] = $"{options.MemoryLimitMb}MiB",
            ["temp_directory"] = spill ?? "",
            ["autoinstall_known_extensions"] = "false",
            ["autoload_known_extensions"] = "false",
            ["allow_community_extensions"] = "false",
            // A scan of hot rows has no order to keep; keeping it anyway would put every plain SELECT on one thread.
            ["preserve_insertion_order"] = "false",
        };
        if (spill is not null)
        {
            settings["max_temp_directory_size"] = string.Create(CultureInfo.InvariantCulture, $"{options.MaxSpillMb}MiB");
        }
        var duck = DuckDbInstance.Open(settings);
        try
        {
            using var connection = duck.Connect();
            connection.Execute("SET GLOBAL TimeZone = 'UTC'; SET GLOBAL errors_as_json = true; SET GLOBAL parquet_metadata_cache = true");
            connection.Execute("SET GLOBAL validate_external_file_cache = 'NO_VALIDATION'");
            var directories = options.Directories.Select(directory => SqlText.Literal(Path.GetFullPath(directory)));
            connection.Execute($"SET GLOBAL allowed_directories = [{string.Join(", ", directories)}]");
            connection.Execute("SET GLOBAL enable_external_access = false; SET GLOBAL lock_configuration = true");
            return duck;
        }
        catch
        {
            duck.Dispose();
            throw;
        }
    }

    /// <summary>A session for one query; null when this host is retired.</summary>
    public Lease? TryTake()
    {
        int number;
        lock (gate)
        {
            if (isRetired)
            {
                return null;
            }
            taken++;
            if (idle.TryPop(out var session))
            {
                return new Lease(this, session);
            }
            number = ++lastSession;
        }
        try
        {
            return new Lease(this, new(new ExecutorSession(duck, number), new OfferedTables(files, (long)number << 32)));
        }
        catch
        {
            Return(null);
            throw;
        }
    }

    /// <summary>Gives out no sessions any more; those that are out finish.</summary>
    public void Retire()
    {
        lock (gate)
        {
            if (isRetired)
            {
                return;
            }
            isRetired = true;
            if (taken > 0)
            {
                return;
            }
        }
        Close();
    }

    private void Return(HostedSession? session)
    {
        lock (gate)
        {
            taken--;
            if (session is not null)
            {
                idle.Push(session);
            }
            if (!isRetired || taken > 0)
            {
                return;
            }
        }
        Close();
    }

    private void Close()
    {
        while (idle.TryPop(out var session))
        {
            session.Session.Dispose();
        }
        duck.Dispose();
        spill?.Dispose();
    }

    /// <param name="Session">A session.</param>
    /// <param name="Tables">What it has been told.</param>
    public sealed record HostedSession(ExecutorSession Session, OfferedTables Tables);

    /// <summary>One session for one query.</summary>
    public sealed class Lease(ExecutorHost host, HostedSession hosted) : IDisposable
    {
        private bool isSpoiled;

        /// <summary>Runs the statement and hands its rows on. Takes over the tables' pins.</summary>
        public void Run(
            string sql, IReadOnlyList<TableBinding> tables, TablePins pins, IRowSink rows, long maxChunkBytes, CancellationToken cancellationToken)
        {
            var offers = new List<TableOffer>();
            try
            {
                offers.AddRange(tables.Select(hosted.Tables.Offer));
                var pinned = offers.Zip(tables, (offer, binding) => offer with { Pin = pins.Take(binding.Table) });
                hosted.Session.Run(sql, [.. pinned], rows, maxChunkBytes, cancellationToken);
            }
            catch
            {
                offers.ForEach(hosted.Tables.Forget);
                throw;
            }
        }

        /// <summary>The session is thrown away instead of going back.</summary>
        public void Spoil() => isSpoiled = true;

        public void Dispose()
        {
            if (isSpoiled)
            {
                hosted.Session.Dispose();
            }
            host.Return(isSpoiled ? null : hosted);
        }
    }
}
