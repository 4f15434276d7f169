namespace Frazil.DuckDb;

/// <summary>
/// One column of a chunk, or a nested part of one, in DuckDB's own layout: fixed-width values, 16-byte string references, list entries into
/// a child. Points into memory that its chunk holds: good until that is disposed. What stands where a value is null is undefined.
/// </summary>
public sealed unsafe class DuckDbVector
{
    internal DuckDbVector(DuckDbType type, long length, byte* data, ulong* validity, DuckDbVector[] children)
    {
        (Type, Length, Children) = (type, length, children);
        Data = data;
        Validity = validity;
    }

    public DuckDbType Type { get; }

    /// <summary>Values in it: rows of the chunk; of a list's child, elements.</summary>
    public long Length { get; }

    internal byte* Data { get; }

    /// <summary>One bit a value, set where it is there; null where all are.</summary>
    internal ulong* Validity { get; }

    /// <summary>LIST, ARRAY: the elements. MAP: keys and values. STRUCT: members. UNION: members, then the tag.</summary>
    internal DuckDbVector[] Children { get; }

    public bool IsNull(long row) => Type.Id == DuckDbTypeId.SqlNull || (Validity != null && (Validity[row >> 6] & (1UL << (int)(row & 63))) == 0);

    /// <summary>A vector of DuckDB's, with everything below it.</summary>
    internal static DuckDbVector Of(DuckDbType type, nint vector, long length)
        => new(type, length, DuckDbNative.duckdb_vector_get_data(vector), DuckDbNative.duckdb_vector_get_validity(vector), ChildrenOf(type, vector, length));

    /// <summary>Of VARCHAR, BLOB and what else is bytes.</summary>
    internal ReadOnlySpan<byte> Bytes(long row)
    {
        var value = Data + (row * 16);
        var length = *(int*)value;
        return new ReadOnlySpan<byte>(length <= 12 ? value + 4 : *(byte**)(value + 8), length);
    }

    /// <summary>Of LIST, MAP and ARRAY: where the row's elements stand in the child.</summary>
    internal ListEntry Entry(long row) => Type.Id == DuckDbTypeId.Array
        ? new ListEntry((ulong)(row * Type.ArraySize), (ulong)Type.ArraySize)
        : ((ListEntry*)Data)[row];

    private static DuckDbVector[] ChildrenOf(DuckDbType type, nint vector, long length)
    {
        switch (type.Id)
        {
            case DuckDbTypeId.List:
                return [Of(type.Children[0].Type, DuckDbNative.duckdb_list_vector_get_child(vector), Elements(vector))];
            case DuckDbTypeId.Array:
                return [Of(type.Children[0].Type, DuckDbNative.duckdb_array_vector_get_child(vector), length * type.ArraySize)];
            case DuckDbTypeId.Map:
                return Members(type, DuckDbNative.duckdb_list_vector_get_child(vector), Elements(vector), first: 0);
            case DuckDbTypeId.Struct:
                return Members(type, vector, length, first: 0);
            case DuckDbTypeId.Union:
                // A union is a struct whose first child is the tag; it goes last here so that members keep their numbers.
                var tag = DuckDbNative.duckdb_struct_vector_get_child(vector, 0);
                return [.. Members(type, vector, length, first: 1), Of(DuckDbType.Tag, tag, length)];
            default:
                return [];
        }
    }

    private static DuckDbVector[] Members(DuckDbType type, nint parent, long length, int first) =>
    [
        .. type.Children.Select((child, index) => Of(child.Type, DuckDbNative.duckdb_struct_vector_get_child(parent, (ulong)(first + index)), length)),
    ];

    private static long Elements(nint vector) => (long)DuckDbNative.duckdb_list_vector_get_size(vector);
}
