namespace Frazil.Config;

/// <summary>Collects errors in the order found, at most one a key: a value of the wrong type is not also called out of range.</summary>
internal sealed class ConfigErrors
{
    private readonly List<ConfigError> errors = [];

    /// <summary>How many were found so far.</summary>
    public int Count => errors.Count;
    private readonly HashSet<string> keys = new(StringComparer.Ordinal);

    /// <summary>Where values came from, by dotted path.</summary>
    public Dictionary<string, string> Origins { get; } = new(StringComparer.Ordinal);

    public IReadOnlyList<ConfigError> All => errors;

    public bool Has(string key) => keys.Contains(key);

    /// <summary>Adds an error whose value is shown as frazil.toml would write it; null shows none.</summary>
    public void Add(string key, object? value, string problem, string fix)
    {
        if (keys.Add(key))
        {
            var shown = value is null ? null : Secrets.WithoutPasswords(ConfigText.Format(value));
            errors.Add(new ConfigError(key, shown, Secrets.WithoutPasswords(problem), fix, Origins.GetValueOrDefault(key)));
        }
    }

    /// <summary>Adds an error of a value that must not be shown as it is.</summary>
    public void AddShown(string key, string? shown, string problem, string fix)
    {
        if (keys.Add(key))
        {
            errors.Add(new ConfigError(key, shown, Secrets.WithoutPasswords(problem), fix, Origins.GetValueOrDefault(key)));
        }
    }

    public void ThrowIfAny()
    {
        if (errors.Count > 0)
        {
            throw new ConfigException(errors);
        }
    }
}
