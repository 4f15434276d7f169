using System.Text.RegularExpressions;
using Frazil.Iceberg;
using Frazil.Kafka;

namespace Frazil.Config;

/// <summary>The checks of [[tables]], each entry alone and all beside one another.</summary>
internal sealed partial class TableValidator(ConfigErrors errors)
{
    private static readonly string[] FutureFormats = ["avro", "protobuf", "json_schema", "raw", "debezium_json", "debezium_avro"];

    public void Validate(IReadOnlyList<TableOptions> tables)
    {
        for (var index = 0; index < tables.Count; index++)
        {
            Validate(tables[index], $"tables[{index}]");
        }
        CheckNamesAreDistinct(tables);
    }

    private void Validate(TableOptions table, string prefix)
    {
        ValidateName(table, $"{prefix}.name");
        ValidateTopics(table, prefix);
        ValidateFormat(table.Format, $"{prefix}.format");
        ValidateMode(table, prefix);
        var areColumnsSound = ValidateColumns(table, $"{prefix}.columns");
        if (ValidatePartitions(table.PartitionBy, $"{prefix}.partition_by") && areColumnsSound)
        {
            ValidateTransforms(table, $"{prefix}.partition_by");
        }
        ValidateKafkaColumns(table, $"{prefix}.kafka_columns");
        foreach (var (name, value) in table.Properties)
        {
            if (name.StartsWith("frazil.", StringComparison.Ordinal) && name != ParquetProperties.EncodingsProperty)
            {
                errors.Add($"{prefix}.properties.{name}", value, "belongs to Frazil: progress is kept under this prefix", "Remove it");
            }
        }
    }

    private void ValidateName(TableOptions table, string key)
    {
        var name = table.Name;
        if (name.Length == 0)
        {
            errors.Add(key, null, "is missing", "Write name = \"namespace.table\"");
            return;
        }
        if (name.Replace("{topic}", "", StringComparison.Ordinal).Contains('{'))
        {
            errors.Add(key, name, "holds a placeholder other than {topic}; {field} is not supported yet", "Use {topic} or a fixed name");
        }
        else if (table.TopicPattern is not null && TableNames.HasTopicPlace(name))
        {
            var made = TableNames.For(table, "topic").Name;
            if (!TableNames.IsSound(made) || TableNames.IsOfSql(made))
            {
                errors.Add(key, name, "is not namespace.table, whatever the topic is, or in a namespace that SQL has for itself",
                    "Write one namespace, a dot, one name, such as shop.{topic}");
            }
        }
        else if (TableNames.Expand([table]).Select(one => one.Name).FirstOrDefault(TableNames.IsOfSql) is { } hidden)
        {
            errors.Add(
                key, name, $"has a namespace that SQL has for itself, so that {hidden} could never be queried",
                $"Choose another namespace than {string.Join(", ", TableNames.NamespacesOfSql)}");
        }
        else if (TableNames.Expand([table]).Select(one => one.Name).FirstOrDefault(one => !Name().IsMatch(one)) is { } wrong)
        {
            errors.Add(key, name, wrong == name ? "is not namespace.table" : $"would become {wrong}, which is not namespace.table",
                "Write one namespace, a dot, one name; letters, digits, _ and -, each beginning with a letter or _");
        }
    }

    private void ValidateTopics(TableOptions table, string prefix)
    {
        var (topics, pattern) = ($"{prefix}.topics", $"{prefix}.topic_pattern");
        if (table.Topics.Count == 0 && table.TopicPattern is null)
        {
            errors.AddShown(
                topics, null, "is missing, and so is topic_pattern: the table would be fed by nothing", "Write topics = [\"NAME\"]");
        }
        else if (table.Topics.Count > 0 && table.TopicPattern is not null)
        {
            errors.Add(pattern, table.TopicPattern, "stands beside topics; a table takes one of them", "Remove one");
        }
        foreach (var topic in table.Topics)
        {
            if (!Topic().IsMatch(topic) || topic is "." or "..")
            {
                errors.Add(topics, topic, "is not a name that Kafka gives topics", "Use letters, digits, '.', '_' and '-', at most 249");
            }
        }
        if (table.Topics.Distinct(StringComparer.Ordinal).Count() != table.Topics.Count)
        {
            errors.Add(topics, table.Topics, "names a topic twice", "Name each once");
        }
        if (table.TopicPattern is { } text)
        {
            ValidatePattern(text, pattern);
        }
    }

    private void ValidatePattern(string pattern, string key)
    {
        if (!TopicPattern.TryParse(pattern, out _, out var problem))
        {
            errors.Add(key, pattern, problem, pattern.StartsWith('^') ? "" : $"Write \"^{pattern}\"");
        }
    }

    private void ValidateFormat(string format, string key)
    {
        if (FutureFormats.Contains(format))
        {
            errors.Add(key, format, "is not supported yet", "Use \"json\"");
        }
        else if (format != "json")
        {
            errors.Add(key, format, "is not a format that Frazil knows", "Use \"json\"");
        }
    }

    private void ValidateMode(TableOptions table, string prefix)
    {
        if (table.Mode == "upsert")
        {
            errors.Add($"{prefix}.mode", table.Mode, "is not supported yet", "Use \"append\"");
        }
        else if (table.Mode != "append")
        {
            errors.Add($"{prefix}.mode", table.Mode, "is not a mode that Frazil knows", "Use \"append\"");
        }
        else if (table.Key.Count > 0)
        {
            errors.Add($"{prefix}.key", table.Key, "means nothing in mode append", "Remove it");
        }
    }

    /// <returns>True when nothing was found wrong.</returns>
    private bool ValidateColumns(TableOptions table, string prefix)
    {
        var before = errors.Count;
        foreach (var (name, type) in table.Columns)
        {
            var key = $"{prefix}.{name}";
            if (name.Length == 0)
            {
                errors.Add(key, type, "has no name", "Name the column");
            }
            else if (TableKeys.KafkaColumnNames.Contains(name))
            {
                errors.Add(
                    key, type, "declares a column that Frazil fills from Kafka",
                    "Remove it; kafka_columns chooses which of these the table gets");
            }
            else if (ColumnTypeSyntax.Problem(type) is { } problem)
            {
                errors.Add(key, type, problem,
                    "Write an Iceberg type: boolean, int, long, float, double, decimal(P,S), date, time, timestamp, timestamptz, string, uuid, "
                    + "binary, list<T>, map<K, V>, struct<name: T, …>");
            }
            else if (type.Contains("fixed", StringComparison.OrdinalIgnoreCase) && FixedType().IsMatch(type))
            {
                errors.Add(key, type, "has a fixed(L) in it, which cannot be written yet", "Use binary");
            }
        }
        if (errors.Count == before)
        {
            new DeclaredColumns(errors).Validate(table, prefix);
        }
        return errors.Count == before;
    }

    /// <summary>What declared columns make of the partition fields: those of columns that records bring are judged when they come.</summary>
    private void ValidateTransforms(TableOptions table, string key)
    {
        var schema = DeclaredColumns.SchemaOf(table);
        var before = errors.Count;
        var declared = table.PartitionBy.Where(field => schema.FindField(PartitionFieldSyntax.ColumnOf(field)) is not null).ToList();
        foreach (var field in declared)
        {
            Try([field], field);
        }
        if (errors.Count == before)
        {
            Try(declared, table.PartitionBy);
        }

        void Try(IReadOnlyList<string> fields, object value)
        {
            try
            {
                PartitionSpecParser.Parse(fields, schema);
            }
            catch (ValidationException error)
            {
                errors.Add(key, value, $"cannot be used: {error.Message}", "");
            }
        }
    }

    /// <returns>True when nothing was found wrong.</returns>
    private bool ValidatePartitions(IReadOnlyList<string> fields, string key)
    {
        var before = errors.Count;
        foreach (var field in fields)
        {
            if (PartitionFieldSyntax.Problem(field) is { } problem)
            {
                errors.Add(key, field, problem, "");
            }
        }
        if (fields.Select(field => field.Replace(" ", "", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).Count() != fields.Count)
        {
            errors.Add(key, fields, "names a partition field twice", "Name each once");
        }
        return errors.Count == before;
    }

    private void ValidateKafkaColumns(TableOptions table, string key)
    {
        foreach (var name in table.KafkaColumns)
        {
            if (!TableKeys.KafkaColumnNames.Contains(name))
            {
                var meant = NearestName.Find(name, TableKeys.KafkaColumnNames);
                var known = $"Known are {string.Join(", ", TableKeys.KafkaColumnNames)}";
                errors.Add(key, name, "is not a Kafka column", meant is null ? known : $"Did you mean {meant}? {known}");
            }
        }
        if (table.KafkaColumns.Distinct(StringComparer.Ordinal).Count() != table.KafkaColumns.Count)
        {
            errors.Add(key, table.KafkaColumns, "names a column twice", "Name each once");
        }
    }

    private void CheckNamesAreDistinct(IReadOnlyList<TableOptions> tables)
    {
        var seen = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var index = 0; index < tables.Count; index++)
        {
            foreach (var name in TableNames.Expand([tables[index]]).Select(table => table.Name))
            {
                if (name.Length > 0 && !seen.TryAdd(name, index))
                {
                    var other = seen[name] == index ? "of two of its topics" : $"of tables[{seen[name]}] too";
                    errors.Add($"tables[{index}].name", name, $"is the name {other} (names must differ by more than case)",
                        "Give each table its own; one table may take several topics");
                }
            }
        }
        foreach (var (name, index) in seen.Where(pair => tables[pair.Value].OnBadRecord == OnBadRecord.Dlq))
        {
            if (seen.TryGetValue($"{name}_dlq", out var clash))
            {
                errors.Add(
                    $"tables[{clash}].name", $"{name}_dlq", $"is where the dead letters of {name} (tables[{index}]) go",
                    "Choose another name");
            }
        }
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_-]{0,127}\.[A-Za-z_][A-Za-z0-9_-]{0,127}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"\bfixed\s*[\[(]\s*[0-9]", RegexOptions.IgnoreCase)]
    private static partial Regex FixedType();

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,249}\z")]
    private static partial Regex Topic();
}
