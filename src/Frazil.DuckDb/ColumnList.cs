namespace Frazil.DuckDb;

/// <summary>Names and types of a result's columns as bytes for another process.</summary>
public static class ColumnList
{
    private const int MostDepth = 200;

    public static void Write(ByteWriter writer, IReadOnlyList<DuckDbColumn> columns)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(columns);
        writer.Write(columns.Count);
        foreach (var (name, type) in columns)
        {
            writer.Write(name);
            Write(writer, type);
        }
    }

    /// <exception cref="DuckDbException">It is damaged, or nested more than 200 deep.</exception>
    public static IReadOnlyList<DuckDbColumn> Read(ByteReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var columns = new DuckDbColumn[reader.ReadCount(leastBytes: 16)];
        for (var index = 0; index < columns.Length; index++)
        {
            columns[index] = new DuckDbColumn(reader.ReadText(), Read(reader, 0));
        }
        return columns;
    }

    private static void Write(ByteWriter writer, DuckDbType type)
    {
        writer.Write((int)type.Id);
        writer.Write(type.Width);
        writer.Write(type.Scale);
        writer.Write(type.ArraySize);
        writer.Write((int)type.LabelStorage);
        writer.Write(type.Alias);
        writer.Write(type.Labels.Count);
        foreach (var label in type.Labels)
        {
            writer.Write(label);
        }
        writer.Write(type.Children.Count);
        foreach (var (name, child) in type.Children)
        {
            writer.Write(name);
            Write(writer, child);
        }
    }

    private static DuckDbType Read(ByteReader reader, int depth)
    {
        if (depth > MostDepth)
        {
            throw new DuckDbException($"A type of the result is nested more than {MostDepth} deep. Cast it in the query, for example to VARCHAR.");
        }
        var (id, width, scale, size) = ((DuckDbTypeId)reader.ReadInt(), reader.ReadInt(), reader.ReadInt(), reader.ReadInt());
        var (storage, alias) = ((DuckDbTypeId)reader.ReadInt(), reader.ReadText());
        var labels = new string[reader.ReadCount(leastBytes: 4)];
        for (var index = 0; index < labels.Length; index++)
        {
            labels[index] = reader.ReadText();
        }
        var children = new (string, DuckDbType)[reader.ReadCount(leastBytes: 32)];
        for (var index = 0; index < children.Length; index++)
        {
            children[index] = (reader.ReadText(), Read(reader, depth + 1));
        }
        return IsWhole(id, width, scale, size, storage, labels.Length, children.Length)
            ? DuckDbType.Make(id, (width, scale), size, (storage, labels), alias, children)
            : throw ByteReader.Damaged("a type");
    }

    private static bool IsWhole(DuckDbTypeId id, int width, int scale, int size, DuckDbTypeId storage, int labels, int children) => id switch
    {
        DuckDbTypeId.Decimal => width is >= 1 and <= 38 && scale >= 0 && scale <= width,
        DuckDbTypeId.Enum => labels > 0 && storage is DuckDbTypeId.UTinyInt or DuckDbTypeId.USmallInt or DuckDbTypeId.UInteger,
        DuckDbTypeId.List => children == 1,
        DuckDbTypeId.Array => children == 1 && size is > 0 and <= 100_000,
        DuckDbTypeId.Map => children == 2,
        DuckDbTypeId.Union => children is > 0 and <= 256,
        DuckDbTypeId.Struct => true,
        _ => Enum.IsDefined(id) && children == 0,
    };
}
