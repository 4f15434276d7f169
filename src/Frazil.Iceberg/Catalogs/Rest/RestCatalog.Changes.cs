using System.Text.Json;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>What changes the catalog.</summary>
public sealed partial class RestCatalog
{
    /// <summary>Sendings of one change of names whose answers were lost and that a look did not find.</summary>
    private const int MostSendings = 3;

    public async Task<LoadedTable> CreateTableAsync(
        TableIdentifier identifier, Schema schema, PartitionSpec? spec = null, SortOrder? sortOrder = null,
        IReadOnlyDictionary<string, string>? properties = null, string? location = null, CancellationToken cancellationToken = default)
    {
        // The server makes the first version; this one tells what it is to be like, and whether it can be.
        var asked = TableMetadataBuilder.Create(
            schema, spec ?? PartitionSpec.Unpartitioned, sortOrder ?? SortOrder.Unsorted, location ?? "", properties ?? EmptyMap.Strings,
            time);
        // Said in words, or it would be the server's default.
        var said = new Dictionary<string, string>(properties ?? EmptyMap.Strings) { ["format-version"] = $"{asked.FormatVersion}" };
        var body = JsonFields.Write(writer => WriteCreation(writer, identifier.Name, asked, said));
        return await ChangeAsync(
            new(HttpMethod.Post, paths.Tables(identifier.Namespace), body) { AsksForKeys = true },
            answer => tables.Take(identifier, answer), static failure => IsTaken(failure) ?? NoSuchNamespace(failure),
            () => FindCreatedAsync(identifier, asked), cancellationToken).ConfigureAwait(false);
    }

    public async Task<LoadedTable> RegisterTableAsync(
        TableIdentifier identifier, string metadataLocation, CancellationToken cancellationToken = default)
    {
        Require(RestEndpoints.RegisterTable, "register tables");
        var body = JsonFields.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("name", identifier.Name);
            writer.WriteString("metadata-location", metadataLocation);
            writer.WriteEndObject();
        });
        return await ChangeAsync(
            new(HttpMethod.Post, paths.Register(identifier.Namespace), body) { AsksForKeys = true },
            answer => tables.Take(identifier, answer),
            static failure => IsTaken(failure) ?? (failure is { Status: 404, IsCatalogs: true, IsNoSuchNamespace: false }
                ? new InvalidFormatException(failure.Message, failure) : RestErrors.Translate(failure)),
            () => FindRegisteredAsync(identifier, metadataLocation), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>With <paramref name="purge"/> it is the server that deletes the files, by its own rules.</summary>
    public async Task DropTableAsync(TableIdentifier identifier, bool purge = false, CancellationToken cancellationToken = default)
    {
        var table = await LoadTableAsync(identifier, cancellationToken).ConfigureAwait(false);      // which one: another may get its name
        var path = purge ? $"{paths.Table(identifier)}?purgeRequested=true" : paths.Table(identifier);
        var uuid = table.Metadata.TableUuid;
        try
        {
            await ChangeAsync(
                new(HttpMethod.Delete, path), static _ => true, static failure => RestErrors.Translate(failure),
                async () => await FindUuidAsync(identifier).ConfigureAwait(false) != uuid, cancellationToken).ConfigureAwait(false);
        }
        catch (NoSuchTableException)
        {
            // It was there a moment ago. A request without a body may be sent twice below us, and the second one finds nothing.
        }
        tables.Forget(identifier);
    }

    public async Task RenameTableAsync(TableIdentifier from, TableIdentifier to, CancellationToken cancellationToken = default)
    {
        Require(RestEndpoints.RenameTable, "rename tables");
        var table = await LoadTableAsync(from, cancellationToken).ConfigureAwait(false);
        var body = JsonFields.Write(writer =>
        {
            writer.WriteStartObject();
            WriteIdentifier(writer, "source", from);
            WriteIdentifier(writer, "destination", to);
            writer.WriteEndObject();
        });
        await ChangeAsync(
            new(HttpMethod.Post, paths.Rename, body), static _ => true,
            static failure => IsTaken(failure) ?? RestErrors.Translate(failure),
            () => FindRenamedAsync(from, to, table.Metadata.TableUuid), cancellationToken).ConfigureAwait(false);
        tables.Forget(from);
    }

    public async Task<LoadedTable> CommitTableAsync(
        TableIdentifier identifier, IReadOnlyList<TableRequirement> requirements, IReadOnlyList<TableUpdate> updates,
        CancellationToken cancellationToken = default)
    {
        var store = tables.StoreOf(identifier) ?? (await LoadTableAsync(identifier, cancellationToken).ConfigureAwait(false)).FileIO;
        var body = JsonFields.Write(writer => WriteCommit(writer, identifier, requirements, updates));
        var call = new RestCall(HttpMethod.Post, paths.Table(identifier), body) { OperationKey = NewOperationKey() };
        try
        {
            return tables.TakeCommitted(identifier, await client.SendAsync(call, cancellationToken).ConfigureAwait(false), store);
        }
        catch (RestFailure failure) when (!failure.MayHaveHappened)
        {
            throw await RefusedAsync(identifier, updates, failure, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RestFailure or InvalidFormatException)
        {
            return await ResolveAsync(identifier, updates, e).ConfigureAwait(false);
        }
    }

    /// <summary>The catalog's own no, for certain.</summary>
    private async Task<IcebergException> RefusedAsync(
        TableIdentifier identifier, IReadOnlyList<TableUpdate> updates, RestFailure failure, CancellationToken cancellationToken)
    {
        if (failure is { Status: 409, IsCatalogs: true })
            return new CommitConflictException(
                $"The commit to {identifier} was refused: {failure.Message} Nothing was written; refresh the table and retry.", failure);
        var refused = RestErrors.Translate(failure);
        if (refused is not ValidationException)
            return refused;
        // A snapshot that was planned on an older version is no conflict for every server: its number is taken, so it "cannot be added".
        var table = await LoadAsync(identifier, tables.Known(identifier), cancellationToken).ConfigureAwait(false);
        return updates.OfType<TableUpdate.AddSnapshot>().Any(update => IsLate(update.Snapshot, table.Metadata))
            ? new CommitConflictException(
                $"The commit to {identifier} was planned on a version that is not the newest any more: {failure.Message}", failure)
            : refused;
    }

    private static bool IsLate(Snapshot snapshot, TableMetadata table)
        => snapshot.SequenceNumber <= table.LastSequenceNumber || snapshot.FirstRowId < table.NextRowId;

    /// <summary>The commit was sent, and nobody said for certain what came of it: its snapshot tells, where it has one. That it is not
    /// there tells
    /// nothing: it may still arrive, or others may have expired it.</summary>
    private async Task<LoadedTable> ResolveAsync(TableIdentifier identifier, IReadOnlyList<TableUpdate> updates, Exception cause)
    {
        string why;
        try
        {
            var now = await LoadAsync(identifier, known: null, CancellationToken.None).ConfigureAwait(false);
            if (updates.OfType<TableUpdate.AddSnapshot>().Any(update => now.Metadata.SnapshotById(update.Snapshot.SnapshotId) is not null))
                return now;
            why = "its snapshot is not in the table now";
        }
        catch (Exception e)
        {
            why = $"looking it up failed too ({e.Message})";
        }
        throw new CommitStateUnknownException(
            $"The commit to {identifier} was sent, and what came of it is not known ({cause.Message}); {why}. It may have happened: look for its "
            + "snapshot before anything else.", cause);
    }

    /// <summary>Sends a change of names until it is known what came of it. A sending whose answer was lost is looked up; where it did not
    /// happen, it is sent again.</summary>
    /// <param name="call">The request.</param>
    /// <param name="done">What the caller gets of an answer.</param>
    /// <param name="refused">What a certain no means.</param>
    /// <param name="find">What the caller gets where it has happened; null or false where it has not. Throws what it finds in the
    /// way.</param>
    /// <param name="cancellationToken">Cancels.</param>
    private async Task<T> ChangeAsync<T>(
        RestCall call, Func<RestAnswer, T> done, Func<RestFailure, IcebergException> refused, Func<Task<T?>> find,
        CancellationToken cancellationToken)
    {
        var named = call with { OperationKey = NewOperationKey() };
        var mayHaveHappened = false;
        for (var sendings = 1; ; sendings++)
        {
            Exception cause;
            try
            {
                return done(await client.SendAsync(named, cancellationToken).ConfigureAwait(false));
            }
            catch (RestFailure failure)
            {
                mayHaveHappened |= failure.MayHaveHappened;
                if (!mayHaveHappened)
                    throw refused(failure);
                cause = failure;
            }
            catch (InvalidFormatException e)
            {
                cause = e;      // it was done, and the answer cannot be read
            }
            if (await LookAsync(call, find, cause).ConfigureAwait(false) is { } found && !false.Equals(found))
                return found;
            if (sendings == MostSendings)
                throw Unknown(call, cause, $"it is not to be seen after {sendings} sendings");
        }
    }

    private async Task<T?> LookAsync<T>(RestCall call, Func<Task<T?>> find, Exception cause)
    {
        try
        {
            return await find().ConfigureAwait(false);
        }
        catch (Exception e) when (e is CatalogUnavailableException or InvalidFormatException)
        {
            throw Unknown(call, cause, $"looking it up failed too ({e.Message})");
        }
    }

    private static CommitStateUnknownException Unknown(RestCall call, Exception cause, string why)
        => new(
            $"{call.Method} {call.Path} was sent, and what came of it is not known ({cause.Message}); {why}. It may have happened, or happen "
            + "still.", cause);

    private static TableAlreadyExistsException? IsTaken(RestFailure failure)
        => failure is { Status: 409, IsCatalogs: true } ? new TableAlreadyExistsException(failure.Message, failure) : null;

    /// <summary>A table of the name that is as it was to be, and empty, is what was asked for, whoever made it.</summary>
    private async Task<LoadedTable?> FindCreatedAsync(TableIdentifier identifier, TableMetadata asked)
    {
        if (await TryLoadAsync(identifier).ConfigureAwait(false) is not { } found)
            return null;
        var now = found.Metadata;
        var isAsAsked = now.Snapshots.Count == 0
            && now.CurrentSchema.SameAs(asked.CurrentSchema) && now.DefaultSpec.SameAs(asked.DefaultSpec)
            && asked.Properties.All(pair => now.Properties.TryGetValue(pair.Key, out var value) && value == pair.Value)
            && (asked.Location.Length == 0 || asked.Location == now.Location);
        return isAsAsked ? found : throw new TableAlreadyExistsException(
            $"A table {identifier} exists already in the catalog {client.Address}, and is not as this one was to be.");
    }

    private async Task<LoadedTable?> FindRegisteredAsync(TableIdentifier identifier, string metadataLocation)
    {
        if (await TryLoadAsync(identifier).ConfigureAwait(false) is not { } found)
            return null;
        return found.MetadataLocation == metadataLocation || found.Metadata.MetadataLog.Any(entry => entry.MetadataFile == metadataLocation)
            ? found : throw new TableAlreadyExistsException($"Another table {identifier} exists already in the catalog {client.Address}.");
    }

    private async Task<bool> FindRenamedAsync(TableIdentifier from, TableIdentifier to, Guid uuid)
    {
        if (await FindUuidAsync(to).ConfigureAwait(false) == uuid)
            return true;
        return await FindUuidAsync(from).ConfigureAwait(false) == uuid
            ? false : throw new NoSuchTableException($"The table {from} was dropped or renamed by another while it was to become {to}.");
    }

    private async Task<bool> FindNamespaceAsync(NamespaceName name, IReadOnlyDictionary<string, string> asked)
    {
        try
        {
            var found = await LoadNamespaceAsync(name).ConfigureAwait(false);
            return asked.All(pair => found.TryGetValue(pair.Key, out var value) && value == pair.Value)
                ? true : throw new NamespaceAlreadyExistsException(
                    $"A namespace {name} exists already in the catalog {client.Address}, with other properties.");
        }
        catch (NoSuchNamespaceException)
        {
            return false;
        }
    }

    private async Task<Guid?> FindUuidAsync(TableIdentifier identifier)
        => (await TryLoadAsync(identifier).ConfigureAwait(false))?.Metadata.TableUuid;

    private async Task<LoadedTable?> TryLoadAsync(TableIdentifier identifier)
    {
        try
        {
            return await LoadAsync(identifier, known: null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NoSuchTableException or NoSuchNamespaceException)
        {
            return null;
        }
    }

    private void Require(string endpoint, string what)
    {
        if (!config.Can(endpoint))
            throw new ValidationException($"The catalog {client.Address} cannot {what}: it does not announce '{endpoint}'.");
    }

    /// <summary>Null where the server does not know such keys, and so would make an operation twice that is sent twice.</summary>
    private string? NewOperationKey() => config.KnowsOperationKeys ? Guid.CreateVersion7(time.GetUtcNow()).ToString() : null;

    private static void WriteCreation(
        Utf8JsonWriter writer, string name, TableMetadata asked, IReadOnlyDictionary<string, string> properties)
    {
        writer.WriteStartObject();
        writer.WriteString("name", name);
        if (asked.Location.Length > 0)
            writer.WriteString("location", asked.Location);
        writer.WritePropertyName("schema");
        SchemaJson.Write(writer, asked.CurrentSchema);
        writer.WritePropertyName("partition-spec");
        SpecJson.Write(writer, asked.DefaultSpec);
        writer.WritePropertyName("write-order");
        SpecJson.Write(writer, asked.DefaultSortOrder);
        writer.WriteBoolean("stage-create", false);
        writer.WriteTextMap("properties", properties);
        writer.WriteEndObject();
    }

    private static void WriteCommit(
        Utf8JsonWriter writer, TableIdentifier identifier, IReadOnlyList<TableRequirement> requirements, IReadOnlyList<TableUpdate> updates)
    {
        writer.WriteStartObject();
        WriteIdentifier(writer, "identifier", identifier);
        writer.WriteStartArray("requirements");
        foreach (var requirement in requirements)
            TableChangeJson.Write(writer, requirement);
        writer.WriteEndArray();
        writer.WriteStartArray("updates");
        foreach (var update in updates)
            TableChangeJson.Write(writer, update);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteIdentifier(Utf8JsonWriter writer, string field, TableIdentifier identifier)
    {
        writer.WriteStartObject(field);
        WriteLevels(writer, "namespace", identifier.Namespace);
        writer.WriteString("name", identifier.Name);
        writer.WriteEndObject();
    }
}
