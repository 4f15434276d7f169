using System.Text;

namespace Frazil.Config;

/// <summary>One thing wrong with the configuration.</summary>
/// <param name="Key">Dotted path as in frazil.toml, e.g. <c>tables[0].format</c>; empty when the file itself cannot be read.</param>
/// <param name="Value">The value seen, secrets masked; null where there is none.</param>
/// <param name="Problem">What is wrong with it.</param>
/// <param name="Fix">What to write instead.</param>
/// <param name="Origin">Where the value came from: <c>frazil.toml:12</c>, <c>environment FRAZIL_…</c>; null for a builder's or a
/// default.</param>
public sealed record ConfigError(string Key, string? Value, string Problem, string Fix, string? Origin = null)
{
    public override string ToString()
    {
        var text = new StringBuilder();
        if (Key.Length > 0)
        {
            text.Append(Key);
            text.Append(Value is null ? "" : $" = {Value}");
            text.Append(Origin is null ? "" : $" ({Origin})");
            text.Append(": ");
        }
        else if (Origin is not null)
        {
            text.Append($"{Origin}: ");
        }
        text.Append(Problem);
        if (Fix.Length > 0)
        {
            text.Append(". ").Append(Fix);
        }
        return text.ToString();
    }
}

/// <summary>The configuration cannot be used. Carries every error found, not only the first.</summary>
public sealed class ConfigException : Exception
{
    public ConfigException(IReadOnlyList<ConfigError> errors)
        : base(Describe(errors)) => Errors = errors;

    /// <summary>At least one.</summary>
    public IReadOnlyList<ConfigError> Errors { get; }

    private static string Describe(IReadOnlyList<ConfigError> errors)
    {
        var heading = errors.Count == 1 ? "the configuration has an error" : $"the configuration has {errors.Count} errors";
        return $"{heading}:\n{string.Join('\n', errors.Select(error => $"  {error}"))}";
    }
}
