using System.Globalization;

namespace Frazil.Iceberg.IO;

/// <summary>
/// How Azure's accounts are reached, as Iceberg's properties say it (<c>adls.…</c>). Where Java's and PyIceberg's names differ, both are
/// taken. What is not set comes from where Azure's own tools look: environment, workload identity, managed identity, its command line.
/// </summary>
public sealed record AzureOptions
{
    private IReadOnlyDictionary<string, string> Properties { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;

    public string? AccountName { get; init; }
    public string? AccountKey { get; init; }

    /// <summary>A bearer token that somebody else keeps fresh.</summary>
    public string? Token { get; init; }

    public string? TenantId { get; init; }
    public string? ClientId { get; init; }
    public string? ClientSecret { get; init; }

    /// <summary>Of one try of a request.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a request is sent again after a failure that may pass, with growing pauses.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>Larger objects are uploaded in blocks of this many bytes while they are written; an object holds 50,000.</summary>
    public int BlockBytes { get; init; } = 8 << 20;

    /// <summary>Blocks of one object that are on their way at one time; each holds <see cref="BlockBytes"/> in memory.</summary>
    public int BlocksInFlight { get; init; } = 2;

    /// <summary>Reads Iceberg's properties; others are left alone.</summary>
    /// <exception cref="ValidationException">A value is not what its property takes.</exception>
    public static AzureOptions From(IReadOnlyDictionary<string, string> properties)
    {
        var usual = new AzureOptions();
        var options = new AzureOptions
        {
            Properties = properties,
            AccountName = Text("adls.auth.shared-key.account.name", "adls.account-name"),
            AccountKey = Text("adls.auth.shared-key.account.key", "adls.account-key"),
            Token = Text("adls.token"),
            TenantId = Text("adls.tenant-id"),
            ClientId = Text("adls.client-id"),
            ClientSecret = Text("adls.client-secret"),
            RequestTimeout = TimeSpan.FromSeconds(Whole("adls.request-timeout", 1, 86_400) ?? (int)usual.RequestTimeout.TotalSeconds),
            Retries = Whole("adls.retry.num-retries", 0, 100) ?? usual.Retries,
            BlockBytes = Whole("adls.write.block-size-bytes", 1 << 16, 1 << 30) ?? usual.BlockBytes,
        };
        return options.AccountName is null == options.AccountKey is null || options.AccountKey is null ? options
            : throw new ValidationException("adls.auth.shared-key.account.key is set without adls.auth.shared-key.account.name: set both.");

        string? Text(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
                if (properties.TryGetValue(name, out var value) && value.Length > 0)
                    return value;
            return null;
        }

        int? Whole(string name, int least, int most) => Text(name) is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most ? value
            : throw new ValidationException($"{name} is '{text}': a whole number from {least} to {most} is expected.");
    }

    /// <summary>Of an account: <c>adls.connection-string.HOST</c>, then that for all.</summary>
    internal string? ConnectionStringOf(AzureLocation location) => OfAccount("adls.connection-string", location);

    /// <summary>Of an account: <c>adls.sas-token.HOST</c>, then that for all.</summary>
    internal string? SasTokenOf(AzureLocation location) => OfAccount("adls.sas-token", location);

    /// <summary>No secret in it.</summary>
    public override string ToString() => $"Azure, account {AccountName ?? "by location"}";

    private string? OfAccount(string name, AzureLocation location)
        => Properties.GetValueOrDefault($"{name}.{location.Host}") ?? Properties.GetValueOrDefault($"{name}.{location.Account}")
            ?? Properties.GetValueOrDefault(name);
}
