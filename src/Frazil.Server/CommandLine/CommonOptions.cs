using System.CommandLine;
using Frazil.Config;

namespace Frazil.Server.CommandLine;

/// <summary>The options that every verb takes.</summary>
internal sealed class CommonOptions
{
    private const string DefaultFile = "frazil.toml";

    public Option<string?> ConfigFile { get; } = new("--config", "-c")
    {
        Description = $"The configuration file. Default: {DefaultFile} in the current directory",
        HelpName = "FILE",
        Recursive = true,
    };

    public Option<bool> Json { get; } = new("--json") { Description = "Write JSON, for machines", Recursive = true };

    /// <summary>Reads the configuration that a verb was given.</summary>
    /// <exception cref="ConfigException">With every error.</exception>
    public FrazilOptions Load(ParseResult result) => Read(result).Options;

    /// <summary>As <see cref="Load"/>, with the origin of each value.</summary>
    /// <exception cref="ConfigException">With every error.</exception>
    public EffectiveConfig Read(ParseResult result)
    {
        var file = result.GetValue(ConfigFile);
        // A container may be configured by its environment alone.
        var isEnvironmentOnly = file is null && !File.Exists(DefaultFile) && HasEnvironment();
        return FrazilConfigFile.Read(isEnvironmentOnly ? null : file ?? DefaultFile);
    }

    private static bool HasEnvironment()
        => Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Any(name => name.StartsWith("FRAZIL_", StringComparison.Ordinal) && name.Contains("__", StringComparison.Ordinal));
}
