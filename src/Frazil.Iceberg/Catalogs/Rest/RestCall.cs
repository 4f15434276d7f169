using System.Net;
using System.Text.Json;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>A request of the protocol.</summary>
/// <param name="Method">GET, HEAD, POST or DELETE.</param>
/// <param name="Path">Below the catalog's address, escaped, with its query; begins with a slash.</param>
/// <param name="Body">JSON; null for none.</param>
internal sealed record RestCall(HttpMethod Method, string Path, byte[]? Body = null)
{
    /// <summary>The tag of the version that is known already.</summary>
    public string? KnownTag { get; init; }

    /// <summary>Names the operation, so that the server makes it once however often it is sent; null where it does not know such
    /// names.</summary>
    public string? OperationKey { get; init; }

    /// <summary>Whether the answer is to bring keys for the table's files.</summary>
    public bool AsksForKeys { get; init; }

    /// <summary>Whether it changes nothing, so that it may be sent as often as one likes.</summary>
    public bool IsRead => Method == HttpMethod.Get || Method == HttpMethod.Head;
}

/// <summary>An answer that says yes.</summary>
/// <param name="Status">200, 204, 304, …</param>
/// <param name="Body">What came; empty where nothing did.</param>
/// <param name="Tag">The version's tag; null where the server gives none.</param>
internal sealed record RestAnswer(HttpStatusCode Status, byte[] Body, string? Tag)
{
    /// <exception cref="InvalidFormatException">It is not what it should be.</exception>
    public T Read<T>(string what, Func<JsonElement, T> read) => JsonFields.Parse(Body, $"the catalog's answer about {what}", read);
}

/// <summary>A request that was not answered with yes. Becomes one of the errors of <see cref="ICatalog"/> where it is known what was
/// asked.</summary>
internal sealed class RestFailure(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>0 where there was no answer.</summary>
    public int Status { get; init; }

    /// <summary>What the catalog calls it, such as <c>NoSuchTableException</c>; empty where it does not say.</summary>
    public string Type { get; init; } = "";

    /// <summary>Whether the catalog itself said so, and not something on the way to it.</summary>
    public bool IsCatalogs { get; init; }

    /// <summary>Whether what was asked may have been done all the same, by this sending of the request or an earlier one.</summary>
    public bool MayHaveHappened { get; init; }

    /// <summary>How long the server asks to be left alone; null where it does not.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public bool IsNoSuchNamespace => Status == 404 && IsCatalogs && Type.Contains("Namespace", StringComparison.OrdinalIgnoreCase);

    /// <summary>A file that is not there (which a catalog calls so as well) is no table that is not there.</summary>
    public bool IsNoSuchTable => Status == 404 && IsCatalogs && !IsNoSuchNamespace && Type != "NotFoundException";
}
