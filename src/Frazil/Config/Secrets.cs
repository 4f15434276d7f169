namespace Frazil.Config;

/// <summary>Which values are secret, and where a secret that is named rather than written (<c>env:NAME</c>, <c>file:/path</c>) is
/// found.</summary>
internal static class Secrets
{
    private static readonly string[] SecretWords = [
        "password", "secret", "token", "credential", "sasl.jaas", "key.pem", "ssl_key", "access-key"];

    public static bool IsSecretProperty(string name)
        => SecretWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase))
            && !name.EndsWith(".location", StringComparison.OrdinalIgnoreCase)
            && !name.EndsWith(".url", StringComparison.OrdinalIgnoreCase);

    /// <summary>A value that only names its secret may be shown; it is where to look, not what is found there.</summary>
    public static bool IsReference(string value)
        => value.StartsWith("env:", StringComparison.Ordinal) || value.StartsWith("file:", StringComparison.Ordinal);

    public static string Show(string name, string value) => IsSecretProperty(name) && !IsReference(value) ? ConfigText.Mask : value;

    /// <summary>The value that <paramref name="value"/> stands for: itself, or the variable or file that it names.</summary>
    /// <exception cref="FormatException">It names what cannot be had; worded for users.</exception>
    public static string Resolve(string value, IReadOnlyDictionary<string, string> environment)
    {
        if (value.StartsWith("env:", StringComparison.Ordinal))
        {
            var name = value[4..];
            return environment.TryGetValue(name, out var found) && found.Length > 0
                ? found
                : throw new FormatException($"the environment variable {name} is not set");
        }
        return value.StartsWith("file:", StringComparison.Ordinal) ? ReadFile(value[5..]) : value;
    }

    private static string ReadFile(string path)
    {
        path = path.StartsWith("//", StringComparison.Ordinal) ? path[2..] : path;
        try
        {
            // Files written by hand or by secret mounts often end with a line end that is no part of the secret.
            var secret = File.ReadAllText(path).TrimEnd('\r', '\n');
            return secret.Length > 0 ? secret : throw new FormatException($"the file {path} is empty");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"the file {path} cannot be read: {exception.Message}", exception);
        }
    }
}
