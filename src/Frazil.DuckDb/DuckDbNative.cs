using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>The C API of libduckdb 1.5, as far as it is used. Names are the library's own; handles are opaque pointers.</summary>
internal static unsafe partial class DuckDbNative
{
    private const string Library = NativeLibraries.DuckDb;

    /// <summary>Rows of a full vector. Fixed when libduckdb is built; checked when an instance opens.</summary>
    public const int VectorSize = 2048;

    public const int Success = 0;

#pragma warning disable CA2255 // a library may not do much here; this only says where to look, and nothing else comes before every call
    [ModuleInitializer]
    internal static void RegisterThisAssembly() => NativeLibraries.Register(typeof(DuckDbNative).Assembly);
#pragma warning restore CA2255

    // ---- instance and connection ----

    [LibraryImport(Library)]
    public static partial int duckdb_create_config(out nint config);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_set_config(nint config, string name, string option);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_config(ref nint config);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int duckdb_open_ext(string? path, out nint database, nint config, out byte* error);

    [LibraryImport(Library)]
    public static partial void duckdb_close(ref nint database);

    [LibraryImport(Library)]
    public static partial int duckdb_connect(nint database, out nint connection);

    [LibraryImport(Library)]
    public static partial void duckdb_disconnect(ref nint connection);

    [LibraryImport(Library)]
    public static partial void duckdb_interrupt(nint connection);

    [LibraryImport(Library)]
    public static partial byte* duckdb_library_version();

    [LibraryImport(Library)]
    public static partial ulong duckdb_vector_size();

    [LibraryImport(Library)]
    public static partial void duckdb_free(void* pointer);

    // ---- statements and results ----

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial ulong duckdb_extract_statements(nint connection, string query, out nint statements);

    [LibraryImport(Library)]
    public static partial byte* duckdb_extract_statements_error(nint statements);

    [LibraryImport(Library)]
    public static partial int duckdb_prepare_extracted_statement(nint connection, nint statements, ulong index, out nint statement);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_extracted(ref nint statements);

    [LibraryImport(Library)]
    public static partial byte* duckdb_prepare_error(nint statement);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_prepare(ref nint statement);

    [LibraryImport(Library)]
    public static partial int duckdb_bind_varchar_length(nint statement, ulong index, byte* value, ulong length);

    [LibraryImport(Library)]
    public static partial int duckdb_pending_prepared(nint statement, out nint pending);

    [LibraryImport(Library)]
    public static partial int duckdb_pending_prepared_streaming(nint statement, out nint pending);

    [LibraryImport(Library)]
    public static partial byte* duckdb_pending_error(nint pending);

    [LibraryImport(Library)]
    public static partial int duckdb_execute_pending(nint pending, NativeResult* result);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_pending(ref nint pending);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_result(NativeResult* result);

    [LibraryImport(Library)]
    public static partial byte* duckdb_result_error(NativeResult* result);

    [LibraryImport(Library)]
    public static partial int duckdb_result_error_type(NativeResult* result);

    [LibraryImport(Library)]
    public static partial ulong duckdb_column_count(NativeResult* result);

    [LibraryImport(Library)]
    public static partial byte* duckdb_column_name(NativeResult* result, ulong column);

    [LibraryImport(Library)]
    public static partial nint duckdb_column_logical_type(NativeResult* result, ulong column);

    [LibraryImport(Library)]
    public static partial nint duckdb_fetch_chunk(NativeResult result);

    // ---- chunks and vectors ----

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_data_chunk(ref nint chunk);

    [LibraryImport(Library)]
    public static partial ulong duckdb_data_chunk_get_size(nint chunk);

    [LibraryImport(Library)]
    public static partial void duckdb_data_chunk_set_size(nint chunk, ulong size);

    [LibraryImport(Library)]
    public static partial nint duckdb_data_chunk_get_vector(nint chunk, ulong column);

    [LibraryImport(Library)]
    public static partial byte* duckdb_vector_get_data(nint vector);

    [LibraryImport(Library)]
    public static partial ulong* duckdb_vector_get_validity(nint vector);

    [LibraryImport(Library)]
    public static partial void duckdb_vector_ensure_validity_writable(nint vector);

    [LibraryImport(Library)]
    public static partial nint duckdb_list_vector_get_child(nint vector);

    [LibraryImport(Library)]
    public static partial ulong duckdb_list_vector_get_size(nint vector);

    [LibraryImport(Library)]
    public static partial int duckdb_list_vector_set_size(nint vector, ulong size);

    [LibraryImport(Library)]
    public static partial int duckdb_list_vector_reserve(nint vector, ulong capacity);

    [LibraryImport(Library)]
    public static partial nint duckdb_struct_vector_get_child(nint vector, ulong index);

    [LibraryImport(Library)]
    public static partial nint duckdb_array_vector_get_child(nint vector);

    // ---- logical types ----

    [LibraryImport(Library)]
    public static partial nint duckdb_create_logical_type(int type);

    [LibraryImport(Library)]
    public static partial nint duckdb_create_decimal_type(byte width, byte scale);

    [LibraryImport(Library)]
    public static partial nint duckdb_create_list_type(nint child);

    [LibraryImport(Library)]
    public static partial nint duckdb_create_map_type(nint key, nint value);

    [LibraryImport(Library)]
    public static partial nint duckdb_create_struct_type(nint* children, byte** names, ulong count);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_logical_type(ref nint type);

    [LibraryImport(Library)]
    public static partial int duckdb_get_type_id(nint type);

    [LibraryImport(Library)]
    public static partial byte* duckdb_logical_type_get_alias(nint type);

    [LibraryImport(Library)]
    public static partial byte duckdb_decimal_width(nint type);

    [LibraryImport(Library)]
    public static partial byte duckdb_decimal_scale(nint type);

    [LibraryImport(Library)]
    public static partial int duckdb_enum_internal_type(nint type);

    [LibraryImport(Library)]
    public static partial uint duckdb_enum_dictionary_size(nint type);

    [LibraryImport(Library)]
    public static partial byte* duckdb_enum_dictionary_value(nint type, ulong index);

    [LibraryImport(Library)]
    public static partial nint duckdb_list_type_child_type(nint type);

    [LibraryImport(Library)]
    public static partial nint duckdb_array_type_child_type(nint type);

    [LibraryImport(Library)]
    public static partial ulong duckdb_array_type_array_size(nint type);

    [LibraryImport(Library)]
    public static partial nint duckdb_map_type_key_type(nint type);

    [LibraryImport(Library)]
    public static partial nint duckdb_map_type_value_type(nint type);

    [LibraryImport(Library)]
    public static partial ulong duckdb_struct_type_child_count(nint type);

    [LibraryImport(Library)]
    public static partial byte* duckdb_struct_type_child_name(nint type, ulong index);

    [LibraryImport(Library)]
    public static partial nint duckdb_struct_type_child_type(nint type, ulong index);

    [LibraryImport(Library)]
    public static partial ulong duckdb_union_type_member_count(nint type);

    [LibraryImport(Library)]
    public static partial byte* duckdb_union_type_member_name(nint type, ulong index);

    [LibraryImport(Library)]
    public static partial nint duckdb_union_type_member_type(nint type, ulong index);

    // ---- table functions ----

    [LibraryImport(Library)]
    public static partial nint duckdb_create_table_function();

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_table_function(ref nint function);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void duckdb_table_function_set_name(nint function, string name);

    [LibraryImport(Library)]
    public static partial void duckdb_table_function_add_parameter(nint function, nint type);

    [LibraryImport(Library)]
    public static partial void duckdb_table_function_set_extra_info(nint function, nint info, delegate* unmanaged<nint, void> destroy);

    [LibraryImport(Library)]
    public static partial void duckdb_table_function_set_bind(nint function, delegate* unmanaged<nint, void> bind);

    [LibraryImport(Library)]
    public static partial void duckdb_table_function_set_init(nint function, delegate* unmanaged<nint, void> init);

    [LibraryImport(Library)]
    public static partial void duckdb_table_function_set_local_init(nint function, delegate* unmanaged<nint, void> init);

    [LibraryImport(Library)]
    public static partial void duckdb_table_function_set_function(nint function, delegate* unmanaged<nint, nint, void> scan);

    [LibraryImport(Library)]
    public static partial void duckdb_table_function_supports_projection_pushdown(
        nint function, [MarshalAs(UnmanagedType.U1)] bool pushdown);

    [LibraryImport(Library)]
    public static partial int duckdb_register_table_function(nint connection, nint function);

    [LibraryImport(Library)]
    public static partial nint duckdb_bind_get_extra_info(nint info);

    [LibraryImport(Library)]
    public static partial nint duckdb_bind_get_parameter(nint info, ulong index);

    [LibraryImport(Library)]
    public static partial long duckdb_get_int64(nint value);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_value(ref nint value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void duckdb_bind_add_result_column(nint info, string name, nint type);

    [LibraryImport(Library)]
    public static partial void duckdb_bind_set_bind_data(nint info, nint data, delegate* unmanaged<nint, void> destroy);

    [LibraryImport(Library)]
    public static partial void duckdb_bind_set_cardinality(nint info, ulong cardinality, [MarshalAs(UnmanagedType.U1)] bool isExact);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void duckdb_bind_set_error(nint info, string error);

    [LibraryImport(Library)]
    public static partial nint duckdb_init_get_bind_data(nint info);

    [LibraryImport(Library)]
    public static partial ulong duckdb_init_get_column_count(nint info);

    [LibraryImport(Library)]
    public static partial ulong duckdb_init_get_column_index(nint info, ulong column);

    [LibraryImport(Library)]
    public static partial void duckdb_init_set_init_data(nint info, nint data, delegate* unmanaged<nint, void> destroy);

    [LibraryImport(Library)]
    public static partial void duckdb_init_set_max_threads(nint info, ulong maxThreads);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void duckdb_init_set_error(nint info, string error);

    [LibraryImport(Library)]
    public static partial nint duckdb_function_get_init_data(nint info);

    [LibraryImport(Library)]
    public static partial nint duckdb_function_get_local_init_data(nint info);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void duckdb_function_set_error(nint info, string error);
}

/// <summary><c>duckdb_result</c>: only its last field still means something; passed by value to fetch.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeResult
{
    public ulong ColumnCount;
    public ulong RowCount;
    public ulong RowsChanged;
    public nint Columns;
    public nint ErrorMessage;
    public nint Data;
}

/// <summary><c>duckdb_list_entry</c>: a list's range in its child vector.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ListEntry(ulong Offset, ulong Length);

/// <summary><c>duckdb_type</c>.</summary>
internal enum DuckDbTypeId
{
    Invalid = 0, Boolean = 1, TinyInt = 2, SmallInt = 3, Integer = 4, BigInt = 5, UTinyInt = 6, USmallInt = 7, UInteger = 8, UBigInt = 9,
    Float = 10, Double = 11, Timestamp = 12, Date = 13, Time = 14, Interval = 15, HugeInt = 16, Varchar = 17, Blob = 18, Decimal = 19,
    TimestampS = 20, TimestampMs = 21, TimestampNs = 22, Enum = 23, List = 24, Struct = 25, Map = 26, Uuid = 27, Union = 28, Bit = 29,
    TimeTz = 30, TimestampTz = 31, UHugeInt = 32, Array = 33, Any = 34, BigNum = 35, SqlNull = 36, StringLiteral = 37, IntegerLiteral = 38,
    TimeNs = 39, Geometry = 40, Variant = 41,
}
