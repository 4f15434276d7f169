using Frazil.Config;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Schemas;

namespace Frazil.Commit;

/// <summary>Whether an existing table can be written as configured. What contradicts is an error at start, never quietly ignored.</summary>
internal static class TableCompatibility
{
    /// <exception cref="PipelineFailedException">Lists everything that does not fit.</exception>
    public static void Check(TableMetadata table, TableOptions options)
    {
        if (Problems(table, options) is { Count: > 0 } problems)
        {
            throw new PipelineFailedException(
                $"table {options.Name} exists but cannot be written as configured: {string.Join("; ", problems)}. {Fix}");
        }
    }

    /// <summary>What must hold of every version that is written: other engines may upgrade the table at any time.</summary>
    /// <exception cref="PipelineFailedException">It does not.</exception>
    public static void CheckVersion(TableMetadata table, TableIdentifier identifier)
    {
        if (VersionProblem(table) is { } problem)
        {
            throw new PipelineFailedException($"table {identifier} cannot be written: {problem}. {Fix}");
        }
    }

    /// <summary>What to do about any of the <see cref="Problems"/>.</summary>
    public const string Fix = "Change the configuration, or choose another table name";

    /// <summary>Everything that does not fit.</summary>
    public static List<string> Problems(TableMetadata table, TableOptions options)
    {
        var problems = new List<string>();
        if (VersionProblem(table) is { } problem)
        {
            problems.Add(problem);
        }
        CheckColumns(table, options, problems);
        CheckPartitioning(table, options, problems);
        return problems;
    }

    private static string? VersionProblem(TableMetadata table)
        => table.FormatVersion == 2 ? null : $"it is an Iceberg v{table.FormatVersion} table, and only v2 tables can be written";

    private static void CheckColumns(TableMetadata table, TableOptions options, List<string> problems)
    {
        var schema = table.CurrentSchema;
        foreach (var (name, notation) in options.Columns)
        {
            CheckColumn(schema, name, IcebergTypeParser.Parse(notation), "declared", SchemaUpdate.CanPromote, options.EvolveSchema, problems);
        }
        foreach (var name in options.KafkaColumns)
        {
            CheckColumn(schema, name, KafkaColumnTypes.TypeOf(name, static () => 0), "a Kafka column of type", Equals, mayComeBack: false, problems);
        }
        foreach (var name in KafkaColumns.Of(table).Except(options.KafkaColumns))
        {
            problems.Add(
                $"its column {name} holds records' places in Kafka, but kafka_columns no longer names it, so that a field of this name in a record "
                + "would fill it: name it, or rename or drop the column with another engine");
        }
        var written = options.Columns.Keys.Concat(options.KafkaColumns).ToHashSet();
        foreach (var required in schema.Fields.Where(field => field.Required && !written.Contains(field.Name)))
        {
            problems.Add(
                $"its column {required.Name} is required, so every record would have to carry it: declare it under columns if they do");
        }
    }

    /// <param name="holds">Whether a primitive type, the first, may be the table's second one: what another engine made wider holds all that was
    /// declared, and records are read by the table's own type.</param>
    /// <param name="mayComeBack">A field that is not there is added, with this type, when a record brings it.</param>
    private static void CheckColumn(
        Schema schema, string name, IcebergType expected, string role, Func<IcebergType, IcebergType, bool> holds, bool mayComeBack,
        List<string> problems)
    {
        if (schema.Fields.FirstOrDefault(field => field.Name == name) is not { } actual)
        {
            if (!mayComeBack)
            {
                problems.Add($"column {name}, {role} {expected}, is not in it");
            }
        }
        else if (!HasShape(actual.Type, expected, holds, mayComeBack))
        {
            problems.Add($"column {name} is {actual.Type} in it, but {role} {expected}");
        }
    }

    /// <summary>The same but for field ids, for fields that a struct of the table has beside the expected ones, and for what <paramref name="holds"/>
    /// allows.</summary>
    private static bool HasShape(IcebergType actual, IcebergType expected, Func<IcebergType, IcebergType, bool> holds, bool mayComeBack)
        => (actual, expected) switch
        {
            (StructType a, StructType e) => e.Fields.All(
                field => a.Find(field.Name) is { } found ? HasShape(found.Type, field.Type, holds, mayComeBack) : mayComeBack),
            (ListType a, ListType e) => HasShape(a.Element.Type, e.Element.Type, holds, mayComeBack),
            (MapType a, MapType e) => a.Key.Type == e.Key.Type && HasShape(a.Value.Type, e.Value.Type, holds, mayComeBack),
            _ => holds(expected, actual),
        };

    private static void CheckPartitioning(TableMetadata table, TableOptions options, List<string> problems)
    {
        if (options.PartitionBy.Count == 0)
        {
            return; // the table's own partitioning is honoured
        }
        try
        {
            // How the table calls its partition fields is not asked: a name that a column has taken since stops others, not us.
            var wanted = PartitionSpecParser.ParseUnchecked(options.PartitionBy, table.CurrentSchema);
            var actual = table.DefaultSpec.Fields;
            var isSame = wanted.Count == actual.Count
                && wanted.Zip(actual)
                    .All(static pair => pair.First.SourceId == pair.Second.SourceId && pair.First.Transform.Equals(pair.Second.Transform));
            if (!isSame)
            {
                PartitionSpecParser.Parse(options.PartitionBy, table.CurrentSchema);
                problems.Add($"it is partitioned by {table.DefaultSpec}, but partition_by says {string.Join(", ", options.PartitionBy)}");
            }
        }
        catch (ValidationException error)
        {
            problems.Add($"partition_by cannot be used with it: {error.Message.TrimEnd('.')}");
        }
    }
}
