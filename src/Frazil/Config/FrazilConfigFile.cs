namespace Frazil.Config;

/// <summary>Reads frazil.toml. Relative paths in it are relative to the current directory, not to the file.</summary>
public static class FrazilConfigFile
{
    /// <summary>Reads, overrides by environment, checks and freezes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="environment">Variables that override keys and that <c>env:NAME</c> names; null for those of the process.</param>
    /// <exception cref="ConfigException">With every error: unreadable file, syntax, unknown keys, types, ranges,
    /// contradictions.</exception>
    public static FrazilOptions Load(string path, IReadOnlyDictionary<string, string>? environment = null)
        => Read(path, environment).Options;

    /// <summary>As <see cref="Load"/>, and tells where each value came from.</summary>
    /// <param name="path">The file; null for defaults and environment alone.</param>
    /// <param name="environment">As for <see cref="Load"/>.</param>
    /// <exception cref="ConfigException">With every error.</exception>
    public static EffectiveConfig Read(string? path, IReadOnlyDictionary<string, string>? environment = null)
        => path is null ? Bind([], "defaults", environment) : Bind(ReadBytes(path), Path.GetFileName(path), environment);

    /// <summary>As <see cref="Read"/>, from text.</summary>
    /// <param name="toml">A TOML 1.1 document.</param>
    /// <param name="fileName">What to call it in errors.</param>
    /// <param name="environment">As for <see cref="Load"/>.</param>
    /// <exception cref="ConfigException">With every error.</exception>
    public static EffectiveConfig Parse(
        string toml, string fileName = "frazil.toml", IReadOnlyDictionary<string, string>? environment = null)
        => Bind(System.Text.Encoding.UTF8.GetBytes(toml), fileName, environment);

    private static EffectiveConfig Bind(ReadOnlySpan<byte> utf8, string fileName, IReadOnlyDictionary<string, string>? environment)
    {
        environment ??= FrazilOptionsBuilder.ReadEnvironment();
        var errors = new ConfigErrors();
        var document = ParseDocument(utf8, fileName);
        new EnvironmentOverrides(document, errors).Apply(environment);
        var raw = new ConfigBinder(fileName, errors).Bind(document);
        var options = FrazilOptionsBuilder.Freeze(raw, environment, errors);
        errors.ThrowIfAny();
        return new EffectiveConfig(options, EffectiveSettings.List(raw, errors.Origins));
    }

    private static TomlTable ParseDocument(ReadOnlySpan<byte> utf8, string fileName)
    {
        try
        {
            return TomlReader.Read(utf8);
        }
        catch (TomlException exception)
        {
            throw new ConfigException([new("", null, exception.Problem, "", $"{fileName}:{exception.Line}:{exception.Column}")]);
        }
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigException([new("", null, $"the file does not exist (looked in {Directory.GetCurrentDirectory()})", "Name it with -c, or write one with: frazil init", path)]);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException([new("", null, $"the file cannot be read: {exception.Message}", "", path)]);
        }
    }
}

/// <summary>Frozen options and where each came from.</summary>
/// <param name="Options">What runs.</param>
/// <param name="Settings">Every key, also those left at their defaults, in the order of the documentation.</param>
public sealed record EffectiveConfig(FrazilOptions Options, IReadOnlyList<EffectiveSetting> Settings);

/// <summary>One key as it is in effect.</summary>
/// <param name="Key">Dotted path.</param>
/// <param name="Value">As frazil.toml would write it; secrets masked, references to secrets (<c>env:NAME</c>) shown.</param>
/// <param name="Origin"><c>default</c>, <c>frazil.toml:12</c> or <c>environment FRAZIL_…</c>.</param>
public sealed record EffectiveSetting(string Key, string Value, string Origin);
