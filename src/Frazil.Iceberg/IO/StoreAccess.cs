namespace Frazil.Iceberg.IO;

/// <summary>What a store needs to reach the files of a table.</summary>
/// <param name="Location">The table's location.</param>
/// <param name="Properties">By Iceberg's names (<c>s3.endpoint</c>, …): the catalog's, and over them what it said for this table, lent keys
/// included. Holds secrets: never to be logged.</param>
/// <param name="Renew">Asks the catalog for the properties anew, for when lent keys are about to end; null where it lends none.</param>
public sealed record StoreAccess(
    string Location, IReadOnlyDictionary<string, string> Properties,
    Func<CancellationToken, Task<IReadOnlyDictionary<string, string>>>? Renew = null);
