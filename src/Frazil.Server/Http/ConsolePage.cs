using Microsoft.AspNetCore.Http;

namespace Frazil.Server.Http;

/// <summary><c>GET /</c>: one self-contained page to type SQL into and to watch the tables. It holds no data; what it shows it asks for
/// over the API, with the token that its user gives it.</summary>
internal static class ConsolePage
{
    private static readonly Lazy<byte[]> Page = new(Load);

    public static async Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'";
        await context.Response.Body.WriteAsync(Page.Value, context.RequestAborted);
    }

    private static byte[] Load()
    {
        using var resource = typeof(ConsolePage).Assembly.GetManifestResourceStream("console.html")
            ?? throw new InvalidOperationException("console.html is not embedded in this build");
        using var copy = new MemoryStream();
        resource.CopyTo(copy);
        return copy.ToArray();
    }
}
