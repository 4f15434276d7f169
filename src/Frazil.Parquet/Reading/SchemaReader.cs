using Frazil.Columnar;

namespace Frazil.Parquet.Reading;

/// <summary>Makes columns of a file's schema, however old its ways with lists and maps are.</summary>
internal sealed class SchemaReader
{
    private readonly ParquetReadOptions options;
    private readonly List<SchemaElement> elements;
    private readonly List<string> path = [];
    private int leaves;
    private int lastFreshId;

    private SchemaReader(FileFooter footer, ParquetReadOptions options)
    {
        this.options = options;
        elements = footer.Elements;
        // What has no id gets one that no other field has, so that every field can be told from the others.
        lastFreshId = Math.Max(0, elements.Max(static element => element.FieldId ?? 0));
        HasFieldIds = elements.Skip(1).Any(static element => element.FieldId is not null);
    }

    public bool HasFieldIds { get; }

    public List<ReadColumn> Columns { get; } = [];

    /// <summary>Columns that have no type here, with every field id in them.</summary>
    public List<(ParquetUnreadableColumn Column, HashSet<int> Ids)> Unreadable { get; } = [];

    public static SchemaReader Read(FileFooter footer, ParquetReadOptions options)
    {
        var reader = new SchemaReader(footer, options);
        foreach (var element in footer.Elements[0].Children)
        {
            var before = reader.leaves;
            try
            {
                reader.Columns.Add(reader.Read(element, element.Name, new(0, 0, 0), isElement: false));
            }
            catch (NotSupportedException reason)
            {
                reader.Unreadable.Add((new(element.Name, element.FieldId, reason.Message), [.. IdsOf(element)]));
                reader.leaves = before + LeavesOf(element);
                reader.path.Clear();
            }
        }
        return reader;
    }

    /// <summary>What lies around a field.</summary>
    private readonly record struct Levels(int Definition, int Repetition, int Place);

    /// <param name="isElement">A repeated field that was found to be an element: its list is made already.</param>
    private ReadColumn Read(SchemaElement element, string name, Levels around, bool isElement)
    {
        path.Add(name);
        var isList = element.Repetition == SchemaElement.Repeated && !isElement;
        var column = isList ? ReadBareList(element, name, around) : ReadSingle(element, name, around);
        path.RemoveAt(path.Count - 1);
        return column;
    }

    private ReadColumn ReadSingle(SchemaElement element, string name, Levels around)
    {
        var isNullable = element.Repetition == SchemaElement.Optional;
        var inside = around with { Definition = around.Definition + (isNullable ? 1 : 0) };
        if (inside.Definition > byte.MaxValue || inside.Repetition > byte.MaxValue)
        {
            throw new NotSupportedException($"The Parquet column '{string.Join('.', path)}' is too deep.");
        }
        if (element.Children.Count == 0 && element.Physical >= 0)
        {
            var leaf = new ReadLeaf(leaves++, string.Join('.', path), LeafForm.Of(element), inside.Definition, inside.Repetition);
            return Make(element, name, around, inside, null, [], leaf);
        }
        if (element.Children.Count == 0)
        {
            throw new NotSupportedException($"The Parquet column '{string.Join('.', path)}' is a struct without fields.");
        }
        if (IsMap(element, out var pairs))
        {
            var entry = Enter(inside);
            ReadColumn[] pair = [
                Read(pairs.Children[0], "key", entry, isElement: false), Read(pairs.Children[1], "value", entry, isElement: false)];
            return Make(element, name, around, inside, ColumnKind.Map, pair);
        }
        if (IsList(element, out var repeated))
        {
            var item = IsElementItself(element, repeated)
                ? Read(repeated, "element", Enter(inside), isElement: true)
                : Read(repeated.Children[0], "element", Enter(inside), isElement: false);
            return Make(element, name, around, inside, ColumnKind.List, [item]);
        }
        ReadColumn[] fields = [.. element.Children.Select(child => Read(child, child.Name, inside, isElement: false))];
        return Make(element, name, around, inside, ColumnKind.Struct, fields);
    }

    /// <summary>A repeated field without a list around it: a list that is never null, of elements that are never null.</summary>
    private ReadColumn ReadBareList(SchemaElement element, string name, Levels around)
    {
        var item = Read(element, "element", Enter(around), isElement: true);
        return new()
        {
            Name = name,
            FieldId = ++lastFreshId,
            Nullable = false,
            Definition = around.Definition,
            Repetition = around.Repetition,
            PlaceDefinition = around.Place,
            ElementDefinition = around.Definition + 1,
            Nested = ColumnKind.List,
            Children = [item],
        };
    }

    private static Levels Enter(Levels list) => new(list.Definition + 1, list.Repetition + 1, list.Definition + 1);

    private ReadColumn Make(
        SchemaElement element, string name, Levels around, Levels inside, ColumnKind? nested, IReadOnlyList<ReadColumn> children,
        ReadLeaf? leaf = null) => new()
        {
            Name = name,
            FieldId = element.FieldId is { } id and > 0 ? id : options.FieldIdOf?.Invoke(path) ?? ++lastFreshId,
            Nullable = element.Repetition == SchemaElement.Optional,
            Definition = inside.Definition,
            Repetition = around.Repetition,
            PlaceDefinition = around.Place,
            ElementDefinition = inside.Definition + 1,
            Nested = nested,
            Children = children,
            Leaf = leaf,
        };

    private static bool IsMap(SchemaElement element, out SchemaElement pairs)
    {
        pairs = element.Children[0];
        return (element.Logical == LogicalKind.Map || element.Converted is ConvertedKind.Map or ConvertedKind.MapOfPairs)
            && element.Children.Count == 1 && pairs.Repetition == SchemaElement.Repeated && pairs.Children.Count == 2
            && pairs.Children[0].Repetition != SchemaElement.Repeated;
    }

    private static bool IsList(SchemaElement element, out SchemaElement repeated)
    {
        repeated = element.Children[0];
        return (element.Logical == LogicalKind.List || element.Converted == ConvertedKind.List || element.Logical == LogicalKind.Map
                || element.Converted is ConvertedKind.Map or ConvertedKind.MapOfPairs)
            && element.Children.Count == 1 && repeated.Repetition == SchemaElement.Repeated;
    }

    /// <summary>The format's rules for lists of two levels, as old writers have them.</summary>
    private static bool IsElementItself(SchemaElement list, SchemaElement repeated)
        => repeated.Children.Count != 1 || repeated.Name == "array" || repeated.Name == list.Name + "_tuple"
            || repeated.Children[0].Repetition == SchemaElement.Repeated || repeated.Logical == LogicalKind.List || repeated.Logical == LogicalKind.Map;

    private static IEnumerable<int> IdsOf(SchemaElement element)
        => (element.FieldId is { } id ? [id] : Enumerable.Empty<int>()).Concat(element.Children.SelectMany(IdsOf));

    private static int LeavesOf(SchemaElement element)
        => element.Children.Count == 0 ? element.Physical >= 0 ? 1 : 0 : element.Children.Sum(LeavesOf);
}
