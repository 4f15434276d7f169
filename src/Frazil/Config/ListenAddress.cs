using System.Globalization;
using System.Net;

namespace Frazil.Config;

/// <summary>A <c>host:port</c> to listen on. An IPv6 address stands in brackets.</summary>
/// <param name="Host">Name or address, without brackets.</param>
/// <param name="Port">0 to 65535; 0 lets the system pick one.</param>
public readonly record struct ListenAddress(string Host, int Port)
{
    /// <summary>Whether only this machine can connect.</summary>
    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <exception cref="FormatException">Worded for users.</exception>
    public static ListenAddress Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0)
        {
            throw new FormatException("has no port; write host:port, such as 127.0.0.1:7070");
        }
        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > 65535)
        {
            throw new FormatException($"has no valid port: \"{text[(colon + 1)..]}\" is not a number from 0 to 65535");
        }
        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }
        else if (host.Contains(':'))
        {
            throw new FormatException($"is ambiguous; write an IPv6 address in brackets: [{host}]:{port}");
        }
        if (host.Length == 0)
        {
            throw new FormatException($"has no host; write 127.0.0.1:{port} for this machine only, 0.0.0.0:{port} for every network");
        }
        return host == "localhost" || IPAddress.TryParse(host, out _)
            ? new ListenAddress(host, port)
            : throw new FormatException($"must be an IP address to listen on (or localhost); \"{host}\" is neither");
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
