using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Frazil.Columnar.Arrow;

/// <summary>
/// Hands a chunk's published rows to any consumer of the Arrow C data interface without a copy. The exported array holds pins of the chunk,
/// so its memory lives until the consumer releases it. The consumer must call <c>release</c>, once, on what it took.
/// </summary>
public static unsafe class ArrowExport
{
    private const string EntriesName = "entries";

    /// <summary>Writes the schema as a struct of its fields, with field ids as <c>PARQUET:field_id</c>.</summary>
    public static void ExportSchema(ColumnFields schema, ArrowSchema* target)
    {
        ArgumentNullException.ThrowIfNull(schema);
        WriteSchema(new("", ColumnType.Struct([.. schema]), 0, Nullable: false), target, metadata: []);
    }

    /// <summary>Writes the published rows as one struct array. The caller holds a pin during the call only.</summary>
    /// <exception cref="ObjectDisposedException">The chunk is freed.</exception>
    public static void ExportChunk(ColumnChunk chunk, ArrowArray* target)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        var columns = chunk.TakeViews(out var rows);
        var root = new ColumnView { Type = ColumnType.Struct([.. chunk.Schema]), Length = rows, Children = columns };
        WriteArray(chunk, root, target);
    }

    private static void WriteSchema(ColumnField field, ArrowSchema* target, byte[] metadata)
    {
        // A map's key and value stand in a struct of their own in Arrow.
        var children = field.Type.Kind == ColumnKind.Map
            ? new ColumnFields([new(EntriesName, ColumnType.Struct([.. field.Type.Fields]), 0, Nullable: false)])
            : field.Type.Fields;
        *target = new()
        {
            Format = Copy(Text(ArrowFormat.Of(field.Type))),
            Name = Copy(Text(field.Name)),
            Metadata = metadata.Length > 0 ? Copy(metadata) : null,
            Flags = field.Nullable ? ArrowSchema.FlagNullable : 0,
            ChildCount = children.Count,
            Children = AllocateChildren<ArrowSchema>(children.Count),
            Release = &ReleaseSchema,
        };
        for (var index = 0; index < children.Count; index++)
        {
            var child = children[index];
            WriteSchema(child, target->Children[index], child.FieldId > 0 ? ArrowFormat.Metadata(child) : []);
        }
    }

    private static void WriteArray(ColumnChunk chunk, ColumnView view, ArrowArray* target)
    {
        ObjectDisposedException.ThrowIf(!chunk.TryPin(), chunk);
        var isMap = view.Type.Kind == ColumnKind.Map;
        var children = isMap ? [EntriesOf(view)] : view.Children;
        var bufferCount = BufferCount(view.Type.Kind);
        var buffers = (void**)NativeMemory.Alloc((nuint)bufferCount, (nuint)sizeof(void*));
        buffers[0] = view.Validity;
        if (bufferCount > 1)
        {
            buffers[1] = view.Offsets != null ? view.Offsets : view.Values;
        }
        if (bufferCount > 2)
        {
            buffers[2] = view.Values;
        }
        *target = new()
        {
            Length = view.Length,
            NullCount = view.Validity == null ? 0 : -1,
            BufferCount = bufferCount,
            Buffers = buffers,
            ChildCount = children.Count,
            Children = AllocateChildren<ArrowArray>(children.Count),
            Release = &ReleaseArray,
            PrivateData = (void*)GCHandle.ToIntPtr(GCHandle.Alloc(chunk)),
        };
        for (var index = 0; index < children.Count; index++)
        {
            WriteArray(chunk, children[index], target->Children[index]);
        }
    }

    private static ColumnView EntriesOf(ColumnView map)
        => new() { Type = ColumnType.Struct([.. map.Type.Fields]), Length = map.Children[0].Length, Children = map.Children };

    internal static int BufferCount(ColumnKind kind) => kind switch
    {
        ColumnKind.Struct => 1,
        ColumnKind.Utf8 or ColumnKind.Binary => 3,
        _ => 2,
    };

    /// <summary>Pointers to that many structs behind them, in one block; null for none.</summary>
    private static T** AllocateChildren<T>(int count)
        where T : unmanaged
    {
        if (count == 0)
        {
            return null;
        }
        var pointers = (T**)NativeMemory.AllocZeroed((nuint)(count * (sizeof(T*) + sizeof(T))));
        var structs = (T*)(pointers + count);
        for (var index = 0; index < count; index++)
        {
            pointers[index] = structs + index;
        }
        return pointers;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ReleaseSchema(ArrowSchema* schema)
    {
        for (var index = 0; index < schema->ChildCount; index++)
        {
            var child = schema->Children[index];
            if (child->Release != null)
            {
                child->Release(child);
            }
        }
        NativeMemory.Free(schema->Children);
        NativeMemory.Free(schema->Format);
        NativeMemory.Free(schema->Name);
        NativeMemory.Free(schema->Metadata);
        schema->Release = null;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ReleaseArray(ArrowArray* array)
    {
        for (var index = 0; index < array->ChildCount; index++)
        {
            var child = array->Children[index];
            if (child->Release != null)
            {
                child->Release(child); // unless the consumer moved it away: then it holds its own pin on
            }
        }
        NativeMemory.Free(array->Children);
        NativeMemory.Free(array->Buffers);
        var handle = GCHandle.FromIntPtr((nint)array->PrivateData);
        ((ColumnChunk)handle.Target!).Unpin();
        handle.Free();
        array->Release = null;
    }

    private static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static byte* Copy(byte[] bytes)
    {
        var copy = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        return copy;
    }
}
