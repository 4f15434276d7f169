using System.Runtime.ExceptionServices;
using System.Text.RegularExpressions;

namespace Frazil.Config;

/// <summary>Which values are secret, and where a secret that is named rather than written (<c>env:NAME</c>, <c>file:/path</c>) is
/// found.</summary>
internal static partial class Secrets
{
    private static readonly string[] SecretWords = [
        "password", "secret", "token", "credential", "sasl.jaas", "key.pem", "ssl_key", "access-key",
        "oauthbearer.config", "authorization", "api-key", "apikey", "cookie", "connection-string", "account.key", "sse.key"];

    private const int LongestFile = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static bool IsSecretProperty(string name)
        => (SecretWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase)) || IsHeader(name))
            && !name.EndsWith(".location", StringComparison.OrdinalIgnoreCase)
            && !name.EndsWith(".url", StringComparison.OrdinalIgnoreCase);

    /// <summary>Any header of requests to a catalog may say who we are, but for the one that Iceberg defines.</summary>
    private static bool IsHeader(string name)
        => name.Contains("header.", StringComparison.OrdinalIgnoreCase)
            && !name.EndsWith("X-Iceberg-Access-Delegation", StringComparison.OrdinalIgnoreCase);

    /// <summary>A value that only names its secret may be shown; it is where to look, not what is found there.</summary>
    public static bool IsReference(string value)
        => value.StartsWith("env:", StringComparison.Ordinal) || value.StartsWith("file:", StringComparison.Ordinal);

    public static string Show(string name, string value)
        => IsSecretProperty(name) && !IsReference(value) ? ConfigText.Mask : WithoutPasswords(value);

    /// <summary>The text without passwords of the URLs in it: those between user name and host, and those of parameters.</summary>
    public static string WithoutPasswords(string text)
        => UrlParameter().Replace(UrlPassword().Replace(text, $"$1{ConfigText.Mask}@"), $"$1{ConfigText.Mask}");

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

    [GeneratedRegex(@"(://[^/@\s:""']*:)[^/\s""']*@")]
    private static partial Regex UrlPassword();

    [GeneratedRegex(@"([?&;](?:password|passwd|pwd|secret|token|access_token|api_?key|sig)=)[^&;\s""']+", RegexOptions.IgnoreCase)]
    private static partial Regex UrlParameter();

    private static string ReadFile(string path)
    {
        path = path.StartsWith("//", StringComparison.Ordinal) ? path[2..] : path;
        try
        {
            // Files written by hand or by secret mounts often end with a line end that is no part of the secret.
            var secret = ReadSome(path).TrimEnd('\r', '\n');
            return secret.Length > 0 ? secret : throw new FormatException($"the file {path} is empty");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FormatException($"the file {path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>A pipe may have a writer, as the shell's own do, or never get one; a device never ends.</summary>
    private static string ReadSome(string path)
    {
        var (content, failed) = ("", default(Exception));
        var reader = new Thread(() =>
        {
            try
            {
                content = ReadAtMost(path);
            }
            catch (Exception failure)
            {
                failed = failure;
            }
        })
        {
            IsBackground = true,
        };
        reader.Start();
        if (!reader.Join(Patience))
        {
            throw new FormatException($"the file {path} gave nothing within {Patience.TotalSeconds:0} seconds: it is a pipe that nobody writes into");
        }
        if (failed is not null)
        {
            ExceptionDispatchInfo.Throw(failed);
        }
        return content;
    }

    private static string ReadAtMost(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var bytes = new byte[LongestFile + 1];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > LongestFile)
        {
            throw new FormatException($"the file {path} has more than {LongestFile} bytes, which no secret has");
        }
        using var text = new StreamReader(new MemoryStream(bytes, 0, length));
        return text.ReadToEnd();
    }
}
