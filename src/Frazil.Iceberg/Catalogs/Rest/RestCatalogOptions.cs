using Frazil.Iceberg.IO;

namespace Frazil.Iceberg.Catalogs;

/// <summary>How a REST catalog is reached, and how its tables' stores are.</summary>
public sealed record RestCatalogOptions
{
    /// <summary>The address below which <c>/v1/config</c> is.</summary>
    public required string Uri { get; init; }

    /// <summary>What the server calls the warehouse: a name or a location; null where it needs none.</summary>
    public string? Warehouse { get; init; }

    /// <summary>By Iceberg's names: <c>credential</c>, <c>token</c>, <c>scope</c>, <c>header.…</c>, <c>rest.…</c>, <c>s3.…</c>. What the
    /// server's
    /// configuration sets comes below them, what it overrides above.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = EmptyMap.Strings;

    /// <summary>Opens the store of a table. Called once for each table whose store is its own, and once for the others; what it makes is
    /// disposed with the catalog where it can be.</summary>
    public required Func<StoreAccess, IFileIO> OpenStore { get; init; }

    /// <summary>Where Amazon's keys come from that sign requests, where the properties have none; null for the environment's
    /// (<c>AWS_ACCESS_KEY_ID</c>, …).</summary>
    public Func<CancellationToken, ValueTask<AwsKeys>>? AwsKeys { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Properties that cannot be as they are, each with what is wrong; for whoever checks a configuration before it is
    /// used.</summary>
    public static IReadOnlyList<(string Name, string Problem)> Problems(IReadOnlyDictionary<string, string> properties)
        => RestSettings.Problems(properties);
}
