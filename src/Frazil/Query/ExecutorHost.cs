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
    private readonly Stack<ExecutorSession> idle = new();
    private readonly Lock gate = new();
    private int lastSession;
    private int taken;
    private bool isRetired;

    public ExecutorHost(SqlExecutorOptions options)
    {
        spill = options.SpillDirectory is { } folder ? SpillFolder.TryCreate(folder) : null;
        try
        {
            duck = Open(options, spill);
        }
        catch
        {
            spill?.Dispose();
            throw;
        }
    }

    private static DuckDbInstance Open(SqlExecutorOptions options, SpillFolder? spill)
    {
        var settings = new Dictionary<string, string>
        {
            ["threads"] = options.Threads.ToString(CultureInfo.InvariantCulture),
            ["memory_limit"] = $"{options.MemoryLimitMb}MiB",
            ["temp_directory"] = spill?.Path ?? "",
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
            return new Lease(this, new ExecutorSession(duck, number, files));
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

    private void Return(ExecutorSession? session)
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
            session.Dispose();
        }
        duck.Dispose();
        spill?.Dispose();
    }

    /// <summary>One session for one query.</summary>
    public sealed class Lease(ExecutorHost host, ExecutorSession session) : IDisposable
    {
        private bool isSpoiled;

        public ExecutorSession Session { get; } = session;

        /// <summary>The session is thrown away instead of going back.</summary>
        public void Spoil() => isSpoiled = true;

        public void Dispose()
        {
            if (isSpoiled)
            {
                Session.Dispose();
            }
            host.Return(isSpoiled ? null : Session);
        }
    }
}
