using System.Runtime.InteropServices;
using System.Text;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>
/// One in-memory DuckDB: its own threads, memory limit and settings. Opening takes tens of milliseconds, connecting microseconds.
/// Dispose every connection first.
/// </summary>
public sealed unsafe class DuckDbInstance : IDisposable
{
    private nint database;

    private DuckDbInstance(nint database) => this.database = database;

    /// <summary>The hot columns that SQL of this instance can read; see <see cref="ColumnScans"/>.</summary>
    public ColumnScans Scans { get; } = new();

    /// <summary>As libduckdb prints its version, <c>v1.5.6</c>.</summary>
    public static string LibraryVersion => ReadText(DuckDbNative.duckdb_library_version());

    /// <summary>Opens an in-memory instance.</summary>
    /// <param name="settings">DuckDB settings by name (<c>threads</c>, <c>memory_limit</c> …).</param>
    /// <exception cref="DuckDbException">A setting is unknown or has a bad value.</exception>
    /// <exception cref="DllNotFoundException">libduckdb is missing; says what to do.</exception>
    public static DuckDbInstance Open(IReadOnlyDictionary<string, string> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (DuckDbNative.duckdb_vector_size() != DuckDbNative.VectorSize)
        {
            throw new DuckDbException(
                $"libduckdb {LibraryVersion} has vectors of {DuckDbNative.duckdb_vector_size()} rows; {DuckDbNative.VectorSize} are needed. Remove {NativeLibraries.VariableOf(NativeLibraries.DuckDb)} from the environment.");
        }
        if (DuckDbNative.duckdb_create_config(out var config) != DuckDbNative.Success)
        {
            throw new DuckDbException("libduckdb could not allocate its settings.");
        }
        try
        {
            foreach (var (name, value) in settings)
            {
                if (DuckDbNative.duckdb_set_config(config, name, value) != DuckDbNative.Success)
                {
                    throw new DuckDbException($"DuckDB has no setting '{name}', or it does not take the value '{value}'.");
                }
            }
            return Open(config);
        }
        finally
        {
            DuckDbNative.duckdb_destroy_config(ref config);
        }
    }

    private static DuckDbInstance Open(nint config)
    {
        if (DuckDbNative.duckdb_open_ext(null, out var database, config, out var error) != DuckDbNative.Success)
        {
            throw DuckDbException.FromText(TakeText(error));
        }
        var instance = new DuckDbInstance(database);
        try
        {
            using var connection = instance.Connect();
            ColumnScanFunction.Register(connection, instance.Scans);
            return instance;
        }
        catch
        {
            instance.Dispose();
            throw;
        }
    }

    public DuckDbConnection Connect()
    {
        ObjectDisposedException.ThrowIf(database == 0, this);
        return DuckDbNative.duckdb_connect(database, out var connection) == DuckDbNative.Success
            ? new DuckDbConnection(connection)
            : throw new DuckDbException("DuckDB could not open a connection.");
    }

    public void Dispose()
    {
        if (database != 0)
        {
            DuckDbNative.duckdb_close(ref database);
            database = 0;
        }
    }

    /// <summary>Text that the library keeps.</summary>
    internal static string ReadText(byte* text) =>
        text == null ? "" : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    /// <summary>Text that the library hands over.</summary>
    internal static string TakeText(byte* text)
    {
        var copy = ReadText(text);
        DuckDbNative.duckdb_free(text);
        return copy;
    }
}
