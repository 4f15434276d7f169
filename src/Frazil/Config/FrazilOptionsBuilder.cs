namespace Frazil.Config;

/// <summary>Collects options, checks them all at once, and freezes them.</summary>
public sealed class FrazilOptionsBuilder
{
}

/// <summary>Reads frazil.toml.</summary>
public static class FrazilConfigFile
{
}
