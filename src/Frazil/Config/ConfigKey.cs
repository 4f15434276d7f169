namespace Frazil.Config;

internal enum ConfigKind
{
    Text,
    Integer,
    Number,
    Flag,
    TextList,
    /// <summary>Name to text; names are taken as they are.</summary>
    TextMap,
    /// <summary>Dotted property name to text, number or flag; <c>a.b = 1</c> and <c>"a.b" = "1"</c> are the same.</summary>
    Properties,
}

/// <summary>
/// One key of frazil.toml: how it is read from and written to the frozen options, what it may hold, and what users are told of it.
/// File, environment, builder, <c>config print</c> and docs/configuration.md all go by these.
/// </summary>
/// <typeparam name="TOwner">The record that holds the key: <see cref="FrazilOptions"/> or <see cref="TableOptions"/>.</typeparam>
internal sealed class ConfigKey<TOwner>
{
    /// <summary>Dotted path; for a table's keys, relative to the table.</summary>
    public required string Path { get; init; }
    public required ConfigKind Kind { get; init; }
    /// <summary>string, long, double, bool, IReadOnlyList&lt;string&gt; or IReadOnlyDictionary&lt;string, string&gt; by <see cref="Kind"/>;
    /// null for an optional key that is not set.</summary>
    public required Func<TOwner, object?> Read { get; init; }
    /// <summary>Takes the same types as <see cref="Read"/> gives. Throws <see cref="FormatException"/>, worded for users, when the text of
    /// an otherwise well-typed value cannot be taken.</summary>
    public required Func<TOwner, object, TOwner> Apply { get; init; }
    public required string Meaning { get; init; }
    /// <summary>What it may hold, in words.</summary>
    public required string Allowed { get; init; }
    public double Minimum { get; init; } = double.NegativeInfinity;
    public double Maximum { get; init; } = double.PositiveInfinity;
    /// <summary>Takes a bare TOML timestamp as well as a string.</summary>
    public bool AcceptsTimestamp { get; init; }
    /// <summary>Never shown in full.</summary>
    public bool IsSecret { get; init; }
}

