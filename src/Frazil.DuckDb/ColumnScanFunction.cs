using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>The callbacks of the table function <c>frazil_scan(BIGINT)</c>. Nothing may be thrown through them: every error becomes
/// DuckDB's.</summary>
internal static unsafe class ColumnScanFunction
{
    public static void Register(DuckDbConnection connection, ColumnScans scans)
    {
        var function = DuckDbNative.duckdb_create_table_function();
        var handleType = DuckDbNative.duckdb_create_logical_type((int)DuckDbTypeId.BigInt);
        try
        {
            DuckDbNative.duckdb_table_function_set_name(function, ColumnScans.FunctionName);
            DuckDbNative.duckdb_table_function_add_parameter(function, handleType);
            DuckDbNative.duckdb_table_function_set_extra_info(function, ToHandle(scans), &FreeHandle);
            DuckDbNative.duckdb_table_function_set_bind(function, &Bind);
            DuckDbNative.duckdb_table_function_set_init(function, &Init);
            DuckDbNative.duckdb_table_function_set_local_init(function, &InitThread);
            DuckDbNative.duckdb_table_function_set_function(function, &Scan);
            DuckDbNative.duckdb_table_function_supports_projection_pushdown(function, true);
            if (DuckDbNative.duckdb_register_table_function(connection.Handle, function) != DuckDbNative.Success)
            {
                throw new DuckDbException($"DuckDB refused the table function {ColumnScans.FunctionName}.");
            }
        }
        finally
        {
            DuckDbNative.duckdb_destroy_logical_type(ref handleType);
            DuckDbNative.duckdb_destroy_table_function(ref function);
        }
    }

    [UnmanagedCallersOnly]
    private static void Bind(nint info)
    {
        try
        {
            var scans = Target<ColumnScans>(DuckDbNative.duckdb_bind_get_extra_info(info));
            var parameter = DuckDbNative.duckdb_bind_get_parameter(info, 0);
            var handle = DuckDbNative.duckdb_get_int64(parameter);
            DuckDbNative.duckdb_destroy_value(ref parameter);
            var scan = scans.Acquire(handle);
            DuckDbNative.duckdb_bind_set_bind_data(info, ToHandle(scan), &ReleaseScan);
            foreach (var field in scan.Fields)
            {
                AddColumn(info, field);
            }
            // The flag is named the wrong way round in 1.5: false is what sets both the estimate and the maximum.
            DuckDbNative.duckdb_bind_set_cardinality(info, (ulong)scan.RowCount, isExact: false);
        }
        catch (Exception failure)
        {
            DuckDbNative.duckdb_bind_set_error(info, failure.Message);
        }
    }

    private static void AddColumn(nint info, ColumnField field)
    {
        if (field.Name.Contains('\0', StringComparison.Ordinal))
        {
            throw new DuckDbException($"The name of field {field.FieldId} holds U+0000, which SQL cannot carry. Rename the column.");
        }
        var type = LogicalTypes.Create(field.Type);
        DuckDbNative.duckdb_bind_add_result_column(info, field.Name, type);
        DuckDbNative.duckdb_destroy_logical_type(ref type);
    }

    [UnmanagedCallersOnly]
    private static void Init(nint info)
    {
        try
        {
            var scan = Target<ColumnScan>(DuckDbNative.duckdb_init_get_bind_data(info));
            var projection = new int[DuckDbNative.duckdb_init_get_column_count(info)];
            for (var index = 0; index < projection.Length; index++)
            {
                var column = DuckDbNative.duckdb_init_get_column_index(info, (ulong)index);
                projection[index] = column < (ulong)scan.Fields.Count ? (int)column : -1;
            }
            var run = new ScanRun(scan, projection);
            DuckDbNative.duckdb_init_set_max_threads(info, (ulong)run.MaxThreads);
            DuckDbNative.duckdb_init_set_init_data(info, ToHandle(run), &FreeHandle);
        }
        catch (Exception failure)
        {
            DuckDbNative.duckdb_init_set_error(info, failure.Message);
        }
    }

    [UnmanagedCallersOnly]
    private static void InitThread(nint info) => DuckDbNative.duckdb_init_set_init_data(info, ToHandle(new VectorFill()), &FreeHandle);

    [UnmanagedCallersOnly]
    private static void Scan(nint info, nint chunk)
    {
        try
        {
            var run = Target<ScanRun>(DuckDbNative.duckdb_function_get_init_data(info));
            run.FillNext(chunk, Target<VectorFill>(DuckDbNative.duckdb_function_get_local_init_data(info)));
        }
        catch (Exception failure)
        {
            DuckDbNative.duckdb_function_set_error(info, $"{ColumnScans.FunctionName}: {failure.Message}");
        }
    }

    [UnmanagedCallersOnly]
    private static void ReleaseScan(nint data)
    {
        var handle = GCHandle.FromIntPtr(data);
        var scan = Unsafe.As<ColumnScan>(handle.Target!);
        handle.Free();
        try
        {
            scan.Release();
        }
        catch (Exception failure)
        {
            // A pin that cannot be released would leak silently; there is no caller to tell, so the process is.
            Environment.FailFast("Releasing a scan's pinned chunks failed.", failure);
        }
    }

    [UnmanagedCallersOnly]
    private static void FreeHandle(nint data) => GCHandle.FromIntPtr(data).Free();

    private static nint ToHandle(object target) => GCHandle.ToIntPtr(GCHandle.Alloc(target));

    private static T Target<T>(nint handle)
        where T : class => Unsafe.As<T>(GCHandle.FromIntPtr(handle).Target!);
}
