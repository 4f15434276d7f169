namespace Frazil.Iceberg;

/// <summary>
/// The one place where table updates are applied. Works on a copy: the base metadata stays as it was whatever fails.
/// Not thread-safe.
/// </summary>
public sealed class TableMetadataBuilder
{
    private readonly TimeProvider time;
    private readonly HashSet<long> addedSnapshotIds = [];
    private TableMetadata state;
    private long? updatedMs;
    private int? lastAddedSchemaId;
    private int? lastAddedSpecId;
    private int? lastAddedOrderId;

    private TableMetadataBuilder(TableMetadata state, TimeProvider time) => (this.state, this.time) = (state, time);

    /// <summary>Starts from an existing version.</summary>
    public static TableMetadataBuilder From(TableMetadata metadata, TimeProvider time) => new(metadata, time);

    /// <summary>The first version of a new table. Field ids of the schema are assigned anew; spec and order are carried over by
    /// column.</summary>
    /// <param name="schema">The schema; its ids are only used to find the columns of the spec and order.</param>
    /// <param name="spec">The partition spec.</param>
    /// <param name="sortOrder">The sort order.</param>
    /// <param name="location">The table's location, without a trailing slash.</param>
    /// <param name="properties">Table properties; <c>format-version</c> (2 by default; 2 or 3) is taken out of them.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ValidationException">The spec or order does not fit the schema, the format version cannot be written, or a property has
    /// a value that would be passed over.</exception>
    public static TableMetadata Create(
        Schema schema, PartitionSpec spec, SortOrder sortOrder, string location, IReadOnlyDictionary<string, string> properties,
        TimeProvider time)
    {
        spec.Validate(schema);
        sortOrder.Validate(schema);
        TablePropertyRules.Check(properties);
        var version = new TableProperties(properties).Number("format-version", 2);
        if (schema.NameClashes.Count > 0)
            throw new ValidationException(SharedNames(schema.NameClashes));
        var fresh = schema.WithFreshIds(out var newIds);
        int NewId(int oldId) => newIds[oldId];
        var partitionId = PartitionSpec.NoLastPartitionId;
        var freshSpec = new PartitionSpec(
            0, [.. spec.Fields.Select(one => one with { SourceId = NewId(one.SourceId), FieldId = ++partitionId })]);
        var freshOrder = new SortOrder(
            sortOrder.IsUnsorted ? 0 : 1, [.. sortOrder.Fields.Select(one => one with { SourceId = NewId(one.SourceId) })]);
        return new TableMetadata
        {
            FormatVersion = (int)version,
            TableUuid = Guid.NewGuid(),
            Location = location.TrimEnd('/'),
            LastUpdatedMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            LastColumnId = fresh.HighestFieldId,
            Schemas = [fresh.WithId(0)],
            CurrentSchemaId = 0,
            PartitionSpecs = [freshSpec],
            DefaultSpecId = 0,
            LastPartitionId = partitionId,
            SortOrders = [freshOrder],
            DefaultSortOrderId = freshOrder.OrderId,
            Properties = properties.Where(pair => pair.Key != "format-version").ToDictionary(pair => pair.Key, pair => pair.Value),
        };
    }

    /// <exception cref="ValidationException">The update does not fit the table.</exception>
    /// <exception cref="CommitConflictException">A snapshot whose sequence number another commit has taken.</exception>
    public TableMetadataBuilder Apply(IEnumerable<TableUpdate> updates)
    {
        foreach (var update in updates)
            Apply(update);
        return this;
    }

    /// <summary>The new version. <see cref="TableMetadata.LastUpdatedMs"/> never goes back, whatever the clock does.</summary>
    public TableMetadata Build() => state with { LastUpdatedMs = updatedMs ?? Now() };

    /// <summary>
    /// Puts the previous metadata file into the log and trims the log to <c>write.metadata.previous-versions-max</c>.
    /// </summary>
    /// <param name="metadata">The new version.</param>
    /// <param name="previous">The version it replaces.</param>
    /// <param name="previousLocation">Where that one lies.</param>
    /// <returns>The version to write, and the files that left its log.</returns>
    public static (TableMetadata Metadata, IReadOnlyList<string> Dropped) LogPrevious(
        TableMetadata metadata, TableMetadata previous, string previousLocation)
    {
        var log = new List<MetadataLogEntry>(previous.MetadataLog) { new(previous.LastUpdatedMs, previousLocation) };
        var excess = Math.Max(0, log.Count - metadata.TableProperties.PreviousVersionsMax);
        var dropped = log.Take(excess).Select(entry => entry.MetadataFile).ToArray();
        log.RemoveRange(0, excess);
        return (metadata with { MetadataLog = log }, dropped);
    }

    private long Now() => Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), state.LastUpdatedMs);

    private void Apply(TableUpdate update)
    {
        switch (update)
        {
            case TableUpdate.AssignUuid(var uuid):
                state = state with { TableUuid = uuid };
                break;
            case TableUpdate.UpgradeFormatVersion(var version):
                UpgradeFormatVersion(version);
                break;
            case TableUpdate.AddSchema(var schema, var lastColumnId):
                AddSchema(schema, lastColumnId);
                break;
            case TableUpdate.SetCurrentSchema(var id):
                SetCurrentSchema(Resolve(id, lastAddedSchemaId, "schema"));
                break;
            case TableUpdate.AddSpec(var spec):
                AddSpec(spec);
                break;
            case TableUpdate.SetDefaultSpec(var id):
                SetDefaultSpec(Resolve(id, lastAddedSpecId, "partition spec"));
                break;
            case TableUpdate.AddSortOrder(var order):
                AddSortOrder(order);
                break;
            case TableUpdate.SetDefaultSortOrder(var id):
                SetDefaultSortOrder(Resolve(id, lastAddedOrderId, "sort order"));
                break;
            case TableUpdate.SetLocation(var location):
                state = state with { Location = location.TrimEnd('/') };
                break;
            case TableUpdate.SetProperties(var properties):
                SetProperties(properties);
                break;
            case TableUpdate.RemoveProperties(var names):
                state = state with
                {
                    Properties = state.Properties.Where(pair => !names.Contains(pair.Key))
                        .ToDictionary(pair => pair.Key, pair => pair.Value),
                };
                break;
            default:
                ApplyToSnapshots(update);
                break;
        }
    }

    private void ApplyToSnapshots(TableUpdate update)
    {
        switch (update)
        {
            case TableUpdate.AddSnapshot(var snapshot):
                AddSnapshot(snapshot);
                break;
            case TableUpdate.SetSnapshotRef(var name, var reference):
                SetRef(name, reference);
                break;
            case TableUpdate.RemoveSnapshotRef(var name):
                RemoveRef(name);
                break;
            case TableUpdate.RemoveSnapshots(var ids):
                RemoveSnapshots(ids);
                break;
            case TableUpdate.SetStatistics(var file):
                state = state with { Statistics = [.. state.Statistics.Where(one => one.SnapshotId != file.SnapshotId), file] };
                break;
            case TableUpdate.RemoveStatistics(var id):
                state = state with { Statistics = [.. state.Statistics.Where(one => one.SnapshotId != id)] };
                break;
            case TableUpdate.SetPartitionStatistics(var file):
                state = state with
                {
                    PartitionStatistics = [.. state.PartitionStatistics.Where(one => one.SnapshotId != file.SnapshotId), file],
                };
                break;
            case TableUpdate.RemovePartitionStatistics(var id):
                state = state with { PartitionStatistics = [.. state.PartitionStatistics.Where(one => one.SnapshotId != id)] };
                break;
            case TableUpdate.RemovePartitionSpecs(var ids):
                RemoveSpecs(ids);
                break;
            case TableUpdate.RemoveSchemas(var ids):
                if (ids.Contains(state.CurrentSchemaId))
                    throw new ValidationException($"Cannot remove schema {state.CurrentSchemaId}: it is the current one.");
                state = state with { Schemas = [.. state.Schemas.Where(schema => !ids.Contains(schema.SchemaId))] };
                break;
            default:
                throw new ValidationException($"The table update {update.GetType().Name} is not known.");
        }
    }

    private static int Resolve(int id, int? lastAdded, string what) => id != TableUpdate.LastAdded
        ? id
        : lastAdded ?? throw new ValidationException($"The commit refers to the {what} it added last, but it added none.");

    private void UpgradeFormatVersion(int version)
    {
        if (version == state.FormatVersion)
            return;
        if (version < state.FormatVersion || version > 3)
            throw new ValidationException(
                $"Cannot change the format version from {state.FormatVersion} to {version}: it only goes up, to 3 at most.");
        state = state with { FormatVersion = version };
    }

    private void AddSchema(Schema schema, int? lastColumnId)
    {
        var id = state.Schemas.FirstOrDefault(one => one.SameAs(schema))?.SchemaId;
        if (id is null)
        {
            RefuseNewClashes(schema);
            id = state.Schemas.Count == 0 ? schema.SchemaId : state.Schemas.Max(one => one.SchemaId) + 1;
            state = state with { Schemas = [.. state.Schemas, schema.WithId(id.Value)] };
        }
        state = state with { LastColumnId = Math.Max(state.LastColumnId, Math.Max(schema.HighestFieldId, lastColumnId ?? 0)) };
        lastAddedSchemaId = id;
    }

    /// <summary>Other engines refuse to load a table in which a dotted name is two columns', or a partition field's and another column's.
    /// One that is in the table already is not this change's doing.</summary>
    private void RefuseNewClashes(Schema schema)
    {
        var before = state.SchemaById(state.CurrentSchemaId) ?? Schema.Empty;
        if (schema.NameClashes.Except(before.NameClashes).ToArray() is { Length: > 0 } shared)
            throw new ValidationException(SharedNames(shared));
        foreach (var field in state.PartitionSpecs.SelectMany(spec => spec.Fields))
            if (field.ClashesWith(schema) && !field.ClashesWith(before))
                throw new ValidationException(
                    $"The table has a partition field named '{field.Name}', and other engines refuse to load it with another column of this "
                    + "name.");
    }

    private static string SharedNames(IReadOnlyList<string> names)
        => $"Two columns have the dotted name {string.Join(", ", names.Select(name => $"'{name}'"))}, and other engines refuse to load such a "
            + "table: give one of them another name.";

    private void SetCurrentSchema(int id)
    {
        if (state.SchemaById(id) is null)
            throw new ValidationException($"Cannot make schema {id} current: the table does not have it.");
        state = state with { CurrentSchemaId = id };
    }

    private void AddSpec(PartitionSpec spec)
    {
        spec.Validate(state.CurrentSchema);
        var last = state.LastPartitionId;
        var taken = new HashSet<int>();
        var numbered = new List<PartitionField>();
        foreach (var field in spec.Fields)
        {
            // The same derivation keeps its id over all specs, so that files of both can be read as one partition column.
            var known = state.PartitionSpecs.SelectMany(one => one.Fields)
                .FirstOrDefault(one => one.SourceId == field.SourceId && one.Transform.Equals(field.Transform));
            var id = known is not null && taken.Add(known.FieldId) ? known.FieldId : ++last;
            taken.Add(id);
            numbered.Add(field with { FieldId = id });
        }
        var candidate = new PartitionSpec(0, numbered);
        var existing = state.PartitionSpecs.FirstOrDefault(one => one.SameAs(candidate));
        lastAddedSpecId = existing?.SpecId ?? (state.PartitionSpecs.Count == 0 ? 0 : state.PartitionSpecs.Max(one => one.SpecId) + 1);
        if (existing is null)
            state = state with
            {
                PartitionSpecs = [.. state.PartitionSpecs, candidate.WithId(lastAddedSpecId.Value)],
                LastPartitionId = last,
            };
    }

    private void SetDefaultSpec(int id)
    {
        if (state.SpecById(id) is null)
            throw new ValidationException($"Cannot make partition spec {id} the default: the table does not have it.");
        state = state with { DefaultSpecId = id };
    }

    private void RemoveSpecs(IReadOnlyList<int> ids)
    {
        if (ids.Contains(state.DefaultSpecId))
            throw new ValidationException($"Cannot remove partition spec {state.DefaultSpecId}: it is the default.");
        state = state with { PartitionSpecs = [.. state.PartitionSpecs.Where(spec => !ids.Contains(spec.SpecId))] };
    }

    private void AddSortOrder(SortOrder order)
    {
        order.Validate(state.CurrentSchema);
        var existing = state.SortOrders.FirstOrDefault(one => one.SameAs(order));
        lastAddedOrderId = existing?.OrderId
            ?? (order.IsUnsorted ? 0 : state.SortOrders.Select(one => one.OrderId).DefaultIfEmpty(0).Max() + 1);
        if (existing is null)
            state = state with { SortOrders = [.. state.SortOrders, order.WithId(lastAddedOrderId.Value)] };
    }

    private void SetDefaultSortOrder(int id)
    {
        if (!state.SortOrders.Any(order => order.OrderId == id))
            throw new ValidationException($"Cannot make sort order {id} the default: the table does not have it.");
        state = state with { DefaultSortOrderId = id };
    }

    private void SetProperties(IReadOnlyDictionary<string, string> updates)
    {
        var properties = new Dictionary<string, string>(state.Properties);
        foreach (var (name, value) in updates)
            properties[name] = value;
        state = state with { Properties = properties };
    }

    private void AddSnapshot(Snapshot snapshot)
    {
        if (state.SnapshotById(snapshot.SnapshotId) is not null)
            throw new ValidationException($"Cannot add snapshot {snapshot.SnapshotId}: the table has it already.");
        if (state.FormatVersion > 1 && snapshot.ParentSnapshotId is not null && snapshot.SequenceNumber <= state.LastSequenceNumber)
            throw new CommitConflictException($"The snapshot's sequence number {snapshot.SequenceNumber} is not above the table's last, {state.LastSequenceNumber}: another commit was first.");
        if (state.FormatVersion >= 3)
            AdvanceRowIds(snapshot);
        updatedMs = Math.Max(snapshot.TimestampMs, state.LastUpdatedMs);
        addedSnapshotIds.Add(snapshot.SnapshotId);
        state = state with
        {
            Snapshots = [.. state.Snapshots, snapshot],
            LastSequenceNumber = Math.Max(state.LastSequenceNumber, snapshot.SequenceNumber),
        };
    }

    private void AdvanceRowIds(Snapshot snapshot)
    {
        if (snapshot.FirstRowId is not { } first || snapshot.AddedRows is not { } added)
            throw new ValidationException($"Snapshot {snapshot.SnapshotId} has no first-row-id or added-rows, which a v3 table needs.");
        if (first < state.NextRowId)
            throw new CommitConflictException(
                $"The snapshot's first row id {first} is below the table's next, {state.NextRowId}: another commit was first.");
        state = state with { NextRowId = Math.Max(state.NextRowId, first + added) };
    }

    private void SetRef(string name, SnapshotRef reference)
    {
        var snapshot = state.SnapshotById(reference.SnapshotId)
            ?? throw new ValidationException($"Cannot set '{name}' to snapshot {reference.SnapshotId}: the table does not have it.");
        if (name == SnapshotRef.MainBranch && !reference.IsBranch)
            throw new ValidationException("'main' is a branch and cannot become a tag.");
        var refs = new Dictionary<string, SnapshotRef>(state.Refs) { [name] = reference };
        state = state with { Refs = refs };
        if (name != SnapshotRef.MainBranch || state.CurrentSnapshotId == snapshot.SnapshotId)
            return;
        updatedMs = addedSnapshotIds.Contains(snapshot.SnapshotId) ? Math.Max(snapshot.TimestampMs, state.LastUpdatedMs) : Now();
        state = state with
        {
            CurrentSnapshotId = snapshot.SnapshotId,
            SnapshotLog = [.. state.SnapshotLog, new SnapshotLogEntry(updatedMs.Value, snapshot.SnapshotId)],
        };
    }

    private void RemoveRef(string name)
    {
        if (!state.Refs.ContainsKey(name))
            return;
        state = state with { Refs = state.Refs.Where(pair => pair.Key != name).ToDictionary(pair => pair.Key, pair => pair.Value) };
        if (name == SnapshotRef.MainBranch)
            state = state with { CurrentSnapshotId = null, SnapshotLog = [] };
    }

    private void RemoveSnapshots(IReadOnlyList<long> ids)
    {
        var removed = ids.ToHashSet();
        // Whoever knows the reference removes it in the same commit; one that was made meanwhile must not vanish with its snapshot.
        if (state.Refs.FirstOrDefault(pair => removed.Contains(pair.Value.SnapshotId)) is { Key: not null } named)
            throw new CommitConflictException(
                $"Snapshot {named.Value.SnapshotId} cannot be removed: '{named.Key}' names it. Refresh the table and plan the removal anew.");
        // Entries before a removed one are dropped too: time travel must not jump over a hole.
        var log = state.SnapshotLog.ToList();
        log.RemoveRange(0, log.FindLastIndex(entry => removed.Contains(entry.SnapshotId)) + 1);
        state = state with
        {
            Snapshots = [.. state.Snapshots.Where(snapshot => !removed.Contains(snapshot.SnapshotId))],
            SnapshotLog = log,
            Statistics = [.. state.Statistics.Where(file => !removed.Contains(file.SnapshotId))],
            PartitionStatistics = [.. state.PartitionStatistics.Where(file => !removed.Contains(file.SnapshotId))],
        };
    }
}
