using Frazil.Commit;
using Frazil.Config;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;
using Frazil.Maintain;
using Microsoft.Extensions.Logging;

namespace Frazil.Replay;

/// <summary>The table, the partition and the offsets that a replay is about: found in the configuration and the catalog, and checked. What
/// is wrong with them is told here, before anything is read or written.</summary>
internal sealed record ReplaySource(TableOptions Options, TableState State, TopicPartition Partition, long First, long Last)
{
    /// <exception cref="ReplayException">The table is not configured or does not exist, or the range cannot be replayed.</exception>
    public static async Task<ReplaySource> FindAsync(
        FrazilOptions options, ReplayRequest request, ICatalog catalog, CancellationToken cancellationToken)
    {
        var state = TableNames.IsSound(request.Table) ? new TableState(catalog, TableIdentifier.Parse(request.Table)) : null;
        var version = state is null ? null : await state.RefreshAsync(cancellationToken);
        var table = Configured(options, request.Table, version is null ? [] : TopicsOf(version));
        if (state is null || version is null)
        {
            throw new ReplayException($"table {table.Name} is configured but does not exist yet: there is nothing to replay");
        }
        TableCompatibility.Check(version.Metadata, table);
        var source = new ReplaySource(table, state, new(TopicOf(request, table, version), request.Partition), request.From, request.To);
        source.Check(version);
        return source;
    }

    /// <summary>The rows of the range, in whichever table of this shape. The topic counts where records of several are in the
    /// table.</summary>
    public KafkaRange RangeIn(TableVersion version)
        => new(TopicsOf(version).Skip(1).Any() ? Partition.Topic : null, Partition.Partition, First, Last);

    /// <summary>What must hold of the table at every version that a commit is built on.</summary>
    /// <exception cref="ReplayException">It does not.</exception>
    public void Check(TableVersion version)
    {
        var topics = TopicsOf(version);
        if (topics.Count > 1 && !HasColumn(version, KafkaColumns.Topic))
        {
            throw new ReplayException(
                $"table {Options.Name} is fed by several topics ({string.Join(", ", topics)}) but has no column {KafkaColumns.Topic}, so its rows cannot be told "
                + $"apart by topic; only tables with that column (kafka_columns) can be replayed then");
        }
        if (version.Progress.NextOffset(Partition) is not { } next)
        {
            var known = version.Progress.NextOffsets.Keys.Where(one => one.Topic == Partition.Topic)
                .Select(static one => one.Partition).Order().ToList();
            throw new ReplayException(
                $"table {Options.Name} has read nothing of {Partition} yet; " + (known.Count == 0
                    ? $"it has read from {(topics.Count == 0 ? "no topic" : string.Join(", ", topics))}"
                    : $"of {Partition.Topic} it has read the partitions {string.Join(", ", known)}"));
        }
        if (Last >= next)
        {
            throw new ReplayException(
                $"table {Options.Name} has read {Partition} up to offset {next - 1} and would read {Math.Max(First, next)} to {Last} by itself, which then would be in it "
                + $"twice; give a --to of at most {next - 1}");
        }
    }

    /// <summary>Asks the broker whether it still has the range of the very topic that the table was fed from.</summary>
    /// <exception cref="ReplayException">It does not.</exception>
    public async Task CheckKafkaAsync(FrazilOptions options, PartitionReader reader, ILogger logger, CancellationToken cancellationToken)
    {
        await using var admin = new KafkaAdmin(options.Kafka.BootstrapServers, options.Kafka.Properties);
        await new TopicIdentities(admin, Options.Name, logger).VerifyAsync([Partition.Topic], State.Current, cancellationToken);
        var held = await Task.Run(() => reader.QueryWatermarks(Partition), cancellationToken);
        if (First < held.Low)
        {
            throw new ReplayException(
                $"Kafka no longer holds the offsets {First} to {Math.Min(Last, held.Low - 1)} of {Partition} (it begins at {held.Low}): replacing the range would lose their rows, "
                + "so nothing was done. " + (Last < held.Low ? "Nothing of the range is left to replay" : $"What is left can be replayed with --from {held.Low}"));
        }
        if (Last >= held.High)
        {
            throw new ReplayException(
                $"Kafka holds {Partition} only up to offset {held.High - 1}, but the table has read it up to {State.Current!.Progress.NextOffset(Partition) - 1}: the log was cut off "
                + "there, and replacing the range could lose rows, so nothing was done");
        }
    }

    private static TableOptions Configured(FrazilOptions options, string name, IReadOnlyCollection<string> fedFrom)
    {
        var tables = TableNames.Expand(options.Tables).ToList();
        return TableNames.Find(options.Tables, name, fedFrom) ?? throw new ReplayException(
            $"there is no table {name} in the configuration" + (NearestName.Find(name,
                tables.Select(static table => table.Name)) is { } meant
                ? $"; did you mean {meant}?"
                : tables.Count == 0 ? "; it has none" : $"; there are {string.Join(", ", tables.Select(static table => table.Name))}"));
    }

    private static string TopicOf(ReplayRequest request, TableOptions table, TableVersion version)
    {
        var known = table.Topics.Union(TopicsOf(version)).ToList();
        if (request.Topic is null)
        {
            return known.Count == 1 ? known[0] : throw new ReplayException(
                $"table {table.Name} is fed by " + (known.Count == 0 ? "no topic yet" : $"several topics; name one with --topic: {string.Join(", ", known)}"));
        }
        var isItsOwn = known.Contains(request.Topic)
            || (table.TopicPattern is { } pattern && TopicPattern.Parse(pattern).Selects(request.Topic));
        return isItsOwn
            ? request.Topic
            : throw new ReplayException($"table {table.Name} is not fed by topic {request.Topic}; it is by {string.Join(", ", known)}");
    }

    private static List<string> TopicsOf(TableVersion version)
        => [.. version.Progress.NextOffsets.Keys.Select(static partition => partition.Topic).Distinct().Order(StringComparer.Ordinal)];

    private bool HasColumn(TableVersion version, string name)
        => Options.KafkaColumns.Contains(name) && version.Metadata.CurrentSchema.Fields.Any(field => field.Name == name);

    /// <summary>Rows are found by these, so the table must have them and its pipeline must write them.</summary>
    /// <exception cref="ReplayException">A column is missing.</exception>
    public void CheckColumns(TableMetadata metadata)
    {
        foreach (var name in new[] { KafkaColumns.Partition, KafkaColumns.Offset })
        {
            if (!Options.KafkaColumns.Contains(name) || metadata.CurrentSchema.Fields.All(field => field.Name != name))
            {
                throw new ReplayException(
                    $"table {Options.Name} has no column {name} (kafka_columns), so the rows of a range of offsets cannot be found in it");
            }
        }
    }
}
