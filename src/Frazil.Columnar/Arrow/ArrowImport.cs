using System.Runtime.InteropServices;

namespace Frazil.Columnar.Arrow;

/// <summary>
/// Rows that came through the Arrow C data interface: a struct array seen as columns, in place. Owns what was moved into it and
/// releases it when disposed; the views are good until then.
/// </summary>
public sealed unsafe class ArrowImport : IDisposable
{
    private ArrowSchema schema;
    private ArrowArray array;

    private ArrowImport(ArrowSchema* schema, ArrowArray* array)
    {
        (this.schema, this.array) = (*schema, *array);
        schema->Release = null;
        array->Release = null;
    }

    /// <summary>The fields. One without a field id in its metadata gets a number from 1,000,000 up.</summary>
    public ColumnFields Schema { get; private set; } = ColumnFields.Empty;

    public IReadOnlyList<ColumnView> Columns { get; private set; } = [];

    public long Rows => array.Length;

    /// <summary>Takes both structs over, also when it throws.</summary>
    /// <exception cref="NotSupportedException">Not a struct array, or a type, dictionary or offset that columns here do not
    /// have.</exception>
    public static ArrowImport Take(ArrowSchema* schema, ArrowArray* array)
    {
        var import = new ArrowImport(schema, array);
        try
        {
            var nextId = 1_000_000;
            var root = ReadField(ref import.schema, ref nextId);
            Require(root.Type.Kind == ColumnKind.Struct, $"expected a struct array, saw {root.Type}");
            import.Schema = root.Type.Fields;
            import.Columns = ReadView(root.Type, ref import.array).Children;
            return import;
        }
        catch
        {
            import.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        fixed (ArrowSchema* held = &schema)
        {
            if (held->Release != null)
            {
                held->Release(held);
                held->Release = null;
            }
        }
        fixed (ArrowArray* held = &array)
        {
            if (held->Release != null)
            {
                held->Release(held);
                held->Release = null;
            }
        }
    }

    private static ColumnField ReadField(ref ArrowSchema schema, ref int nextId)
    {
        Require(schema.Dictionary == null, "dictionary-encoded columns are not supported");
        var children = new ColumnField[schema.ChildCount];
        for (var index = 0; index < children.Length; index++)
        {
            children[index] = ReadField(ref *schema.Children[index], ref nextId);
        }
        var metadata = ArrowFormat.ReadMetadata(schema.Metadata);
        var type = ArrowFormat.Parse(Marshal.PtrToStringUTF8((nint)schema.Format)!, metadata, children);
        var name = Marshal.PtrToStringUTF8((nint)schema.Name) ?? "";
        return new(name, type, ArrowFormat.FieldId(metadata) ?? nextId++, (schema.Flags & ArrowSchema.FlagNullable) != 0);
    }

    private static ColumnView ReadView(ColumnType type, ref ArrowArray array)
    {
        Require(array.Offset == 0, $"an array with offset {array.Offset}; export it without");
        Require(array.BufferCount == ArrowExport.BufferCount(type.Kind), $"{type} with {array.BufferCount} buffers");
        var hasOffsets = type.Kind is ColumnKind.Utf8 or ColumnKind.Binary or ColumnKind.List or ColumnKind.Map;
        return new()
        {
            Type = type,
            Length = array.Length,
            Validity = (byte*)array.Buffers[0],
            Offsets = hasOffsets ? (int*)array.Buffers[1] : null,
            Values = type.Kind switch
            {
                ColumnKind.Struct or ColumnKind.List or ColumnKind.Map => null,
                ColumnKind.Utf8 or ColumnKind.Binary => (byte*)array.Buffers[2],
                _ => (byte*)array.Buffers[1],
            },
            Children = ReadChildren(type, ref array),
        };
    }

    private static ColumnView[] ReadChildren(ColumnType type, ref ArrowArray array)
    {
        if (type.Kind == ColumnKind.Map)
        {
            // Arrow's one child is the struct of entries; here key and value stand below the map itself.
            return [.. ReadView(ColumnType.Struct([.. type.Fields]), ref *array.Children[0]).Children];
        }
        Require(array.ChildCount == type.Fields.Count, $"{type} with {array.ChildCount} children");
        var children = new ColumnView[array.ChildCount];
        for (var index = 0; index < children.Length; index++)
        {
            children[index] = ReadView(type.Fields[index].Type, ref *array.Children[index]);
        }
        return children;
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new NotSupportedException($"Arrow import: {otherwise}");
        }
    }
}
