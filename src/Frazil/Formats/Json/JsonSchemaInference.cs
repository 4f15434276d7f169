using System.Text.Json;
using Frazil.Columnar;
using Frazil.Schemas;

namespace Frazil.Formats.Json;

/// <summary>
/// Proposes the columns that records ask for, from the records themselves: booleans → boolean, integers → long, numbers with a fraction or
/// an exponent (and a mix of both) → double, strings → string, objects → struct, arrays → list. A field that was null, {} or [] in every
/// record so far asks for no column yet. A type is never changed here: a known field whose value does not fit stays an error of the
/// decoder. Not thread-safe; for the few records that gave <see cref="DecodeStatus.UnknownField"/>, not for every record.
/// </summary>
public sealed class JsonSchemaInference
{
    /// <summary>Lists and maps in each other that an inferred column may have. DuckDB's Parquet reader takes twice as long for each more:
    /// a millisecond at twelve, minutes at thirty; other readers end at a hundred levels of a file's schema, which fifty lists make.</summary>
    public const int MaxListLevels = 12;

    private readonly ColumnFields known;
    private readonly int maxFields;
    private readonly ColumnNames names;
    private readonly IReadOnlyList<string> reserved;

    /// <summary>By the id of the parent field, in the order first seen.</summary>
    private List<Group> groups = [];

    /// <param name="known">The table's whole schema, pipeline columns included.</param>
    /// <param name="maxFields">Where the table would have more fields than this (of all levels), new ones are refused: an object with data
    /// for names should be a map, and every column costs each file and each writer some hundred kilobytes.</param>
    /// <param name="partitionFields">Names of the table's partition fields, each with its column.</param>
    /// <param name="reserved">Columns that the pipeline itself fills: no field becomes one, also where the table has it no longer.</param>
    public JsonSchemaInference(
        ColumnFields known, int maxFields = 1_000, IReadOnlyList<(string Name, string Column)>? partitionFields = null,
        IReadOnlyList<string>? reserved = null)
    {
        ArgumentNullException.ThrowIfNull(known);
        this.known = known;
        this.maxFields = maxFields;
        names = new(FullNames(known, ""), partitionFields ?? []);
        this.reserved = reserved ?? [];
    }

    private sealed record Group(int ParentFieldId, string Path, JsonShape Shape);

    /// <summary>What to add so that every record taken fits. Parents stand before what is below them.</summary>
    public IReadOnlyList<SchemaAddition> Additions =>
        [.. groups.SelectMany(group => group.Shape.Fields.Select(item => new SchemaAddition(group.ParentFieldId, group.Path, item.Name, item.Shape.ToType())))];

    /// <summary>Takes a record into account.</summary>
    /// <returns>Null; or why no schema could hold this record together with those before it, which then changed nothing.</returns>
    public DecodeError? Add(ReadOnlySpan<byte> record)
    {
        var walk = new Walk();
        var reader = new Utf8JsonReader(record, new JsonReaderOptions { MaxDepth = JsonCursor.MaxDepth });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return new(DecodeReason.NotAnObject, "", 0, "a record must be a JSON object");
            }
            walk.ReadObject(ref reader, known, 0, "");
            reader.Read(); // refuses text after the object
            groups = Join(walk);
            return null;
        }
        catch (JsonShapeConflictException conflict)
        {
            return new(DecodeReason.ConflictingTypes, conflict.Path, reader.TokenStartIndex, conflict.Message);
        }
        catch (RefusedException refused)
        {
            return new(refused.Reason, refused.Path, reader.TokenStartIndex, refused.Message);
        }
        catch (JsonException malformed)
        {
            return new(DecodeReason.Syntax, "", malformed.BytePositionInLine ?? 0, malformed.Message);
        }
        catch (InvalidOperationException)
        {
            return new(DecodeReason.InvalidUtf8, "", reader.TokenStartIndex, $"byte {reader.TokenStartIndex}: bytes that are not UTF-8");
        }
    }

    private List<Group> Join(Walk walk)
    {
        var joined = new List<Group>(groups);
        foreach (var (id, path, shape) in walk.Groups)
        {
            var index = joined.FindIndex(group => group.ParentFieldId == id);
            var all = index < 0 ? shape : joined[index].Shape.Join(shape, path);
            if (index < 0)
            {
                joined.Add(new(id, path, all));
            }
            else
            {
                joined[index] = joined[index] with { Shape = all };
            }
        }
        foreach (var group in joined)
        {
            RefuseTooDeep(group);
        }
        RefuseTakenNames(joined);
        var added = joined.Sum(group => group.Shape.Size - 1); // less the record, or the struct that is there already
        return added > 0 && SizeOf(known) + added > maxFields
            ? throw new RefusedException(
                DecodeReason.TooLarge, "",
                $"with its new fields the table would have more than {maxFields}; where names are data, declare the column as map<string, T>")
            : joined;
    }

    private void RefuseTooDeep(Group added)
    {
        if ((LevelsTo(added.ParentFieldId, known) ?? 0) + added.Shape.ListLevels > MaxListLevels)
        {
            var field = added.Path.Length > 0 ? added.Path : added.Shape.Fields.MaxBy(static item => item.Shape.ListLevels).Name;
            throw new RefusedException(
                DecodeReason.TooDeep, field,
                $"field {field}: more than {MaxListLevels} arrays in each other, which few readers of Parquet can read; declare the column as string and send it as text");
        }
    }

    /// <summary>The lists and maps around a field, itself among them; null where it is not below <paramref name="fields"/>.</summary>
    private static int? LevelsTo(int fieldId, ColumnFields fields)
    {
        foreach (var field in fields)
        {
            var own = field.Type.Kind is ColumnKind.List or ColumnKind.Map ? 1 : 0;
            if (field.FieldId == fieldId || LevelsTo(fieldId, field.Type.Fields) is not null)
            {
                return own + (field.FieldId == fieldId ? 0 : LevelsTo(fieldId, field.Type.Fields));
            }
        }
        return null;
    }

    private static int SizeOf(ColumnFields fields) => fields.Sum(static field => 1 + SizeOf(field.Type.Fields));

    private void RefuseTakenNames(List<Group> added)
    {
        if (names.FindClash(added.SelectMany(NamesOf)) is var (name, why))
        {
            throw new RefusedException(DecodeReason.ConflictingNames, name, $"field {name}: {why}");
        }
        if (added.Find(static group => group.ParentFieldId == 0)?.Shape.Fields.FirstOrDefault(field => IsReserved(field.Name)).Name is { } own)
        {
            throw new RefusedException(
                DecodeReason.ReservedField, own,
                $"field {own}: the name of a column that is filled from the record's Kafka position; rename the field or the column");
        }
    }

    private bool IsReserved(string name) => reserved.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<string> NamesOf(Group group)
        => group.Path.Length > 0 ? group.Shape.NamesBelow(group.Path)
            : group.Shape.Fields.SelectMany(static field => field.Shape.NamesBelow(field.Name).Prepend(field.Name));

    private static IEnumerable<string> FullNames(ColumnFields fields, string path)
        => fields.SelectMany(field => FullNames(field.Type.Fields, $"{path}{field.Name}.").Prepend(path + field.Name));

    private sealed class RefusedException(DecodeReason reason, string path, string message) : Exception(message)
    {
        public DecodeReason Reason { get; } = reason;

        public string Path { get; } = path;
    }

    /// <summary>One record's way along the known schema, collecting what is beside it.</summary>
    private sealed class Walk
    {
        public List<Group> Groups { get; } = [];

        /// <summary>From the opening brace to the closing one.</summary>
        public void ReadObject(ref Utf8JsonReader reader, ColumnFields fields, int parentId, string path)
        {
            var added = new List<(string Name, JsonShape Shape)>();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = TakeName(ref reader, seen, path);
                var place = path.Length > 0 ? $"{path}.{name}" : name;
                reader.Read();
                var position = fields.IndexOfName(name);
                if (position >= 0)
                {
                    ReadKnown(ref reader, fields[position], place);
                }
                else
                {
                    added.Add((name, ReadNew(ref reader, place)));
                }
            }
            Note(parentId, path, JsonShape.Struct(added));
        }

        private static string TakeName(ref Utf8JsonReader reader, HashSet<string> seen, string path)
        {
            var name = reader.GetString()!;
            return seen.Add(name) ? name : throw new RefusedException(
                DecodeReason.DuplicateField, path.Length > 0 ? $"{path}.{name}" : name,
                $"field {(path.Length > 0 ? path + "." : "")}{name}: a name that stands twice in its object");
        }

        private void Note(int parentId, string path, JsonShape shape)
        {
            if (shape.IsNothing)
            {
                return;
            }
            if (shape.Fields.Any(field => IsUnspeakable(field.Name)))
            {
                throw new RefusedException(
                    DecodeReason.UnknownField, path,
                    $"{(path.Length > 0 ? $"field {path}: " : "")}a field with an empty name, or with a NUL in it, cannot become a column");
            }
            var index = Groups.FindIndex(group => group.ParentFieldId == parentId);
            if (index < 0)
            {
                Groups.Add(new(parentId, path, shape));
            }
            else
            {
                Groups[index] = Groups[index] with { Shape = Groups[index].Shape.Join(shape, path) };
            }
        }

        private void ReadKnown(ref Utf8JsonReader reader, ColumnField field, string path)
        {
            switch (field.Type.Kind, reader.TokenType)
            {
                case (ColumnKind.Struct, JsonTokenType.StartObject):
                    ReadObject(ref reader, field.Type.Fields, field.FieldId, path);
                    break;
                case (ColumnKind.List, JsonTokenType.StartArray):
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    {
                        ReadKnown(ref reader, field.Type.Fields[0], $"{path}.element");
                    }
                    break;
                case (ColumnKind.Map, JsonTokenType.StartObject):
                    while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                    {
                        reader.Read();
                        ReadKnown(ref reader, field.Type.Fields[1], $"{path}.value");
                    }
                    break;
                default:
                    reader.Skip(); // whether it fits is the decoder's to say
                    break;
            }
        }

        /// <summary>No SQL can name it: text ends at a NUL in DuckDB's, Postgres' and SQLite's.</summary>
        private static bool IsUnspeakable(string name) => name.Length == 0 || name.Contains('\0', StringComparison.Ordinal);

        private static JsonShape ReadNew(ref Utf8JsonReader reader, string path)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    var fields = new List<(string Name, JsonShape Shape)>();
                    var seen = new HashSet<string>(StringComparer.Ordinal);
                    while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                    {
                        var name = TakeName(ref reader, seen, path);
                        reader.Read();
                        fields.Add((name, ReadNew(ref reader, $"{path}.{name}")));
                    }
                    return fields.Any(field => IsUnspeakable(field.Name) && !field.Shape.IsNothing)
                        ? throw new RefusedException(
                            DecodeReason.UnknownField, path, $"field {path}: a field with an empty name, or with a NUL in it, cannot become a column")
                        : JsonShape.Struct(fields);
                case JsonTokenType.StartArray:
                    var element = JsonShape.Nothing;
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    {
                        element = element.JoinSibling(ReadNew(ref reader, $"{path}[]"), $"{path}[]");
                    }
                    return JsonShape.List(element);
                case JsonTokenType.String:
                    return JsonShape.Text;
                case JsonTokenType.Number:
                    return ReadNumber(ref reader, path);
                case JsonTokenType.True or JsonTokenType.False:
                    return JsonShape.Boolean;
                default:
                    return JsonShape.Nothing;
            }
        }

        private static JsonShape ReadNumber(ref Utf8JsonReader reader, string path)
        {
            if (reader.ValueSpan.IndexOfAny(".eE"u8) >= 0)
            {
                return JsonShape.Number;
            }
            return reader.TryGetInt64(out _)
                ? JsonShape.Integer
                : throw new RefusedException(
                    DecodeReason.OutOfRange, path,
                    $"field {path}: an integer beyond 64 bits; declare the column as decimal(38,0), double or string");
        }
    }
}
