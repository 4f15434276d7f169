using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Frazil.Server.Http;

/// <summary>How rows are answered.</summary>
internal enum SqlFormat
{
    Json,
    Csv,
    NdJson,
    Arrow,
}

/// <summary>Chooses among the formats by <c>Accept</c> (RFC 9110, 12.5.1): for each format the most exact range that matches says its
/// quality; the best wins, among equals the one that is named first.</summary>
internal static class SqlFormats
{
    private static readonly (SqlFormat Format, string[] Types)[] All =
    [
        (SqlFormat.Json, ["application/json"]),
        (SqlFormat.Csv, ["text/csv"]),
        (SqlFormat.NdJson, ["application/x-ndjson", "application/ndjson", "application/jsonl"]),
        (SqlFormat.Arrow, ["application/vnd.apache.arrow.stream"]),
    ];

    /// <exception cref="HttpProblem">With status 406.</exception>
    public static SqlFormat Choose(string accept)
    {
        if (string.IsNullOrWhiteSpace(accept))
        {
            return SqlFormat.Json;
        }
        var ranges = MediaTypeHeaderValue.TryParseList([accept], out var parsed) ? parsed : [];
        var (best, bestQuality, bestPlace) = (SqlFormat.Json, 0.0, int.MaxValue);
        foreach (var (format, types) in All)
        {
            var (quality, place) = Judge(types, ranges);
            if (quality > bestQuality || (quality > 0 && quality == bestQuality && place < bestPlace))
            {
                (best, bestQuality, bestPlace) = (format, quality, place);
            }
        }
        return bestQuality > 0
            ? best
            : throw new HttpProblem(StatusCodes.Status406NotAcceptable, "not_acceptable",
                $"no answer of the kind \"{accept}\"; there are application/json, text/csv, application/x-ndjson and "
                + "application/vnd.apache.arrow.stream");
    }

    private static (double Quality, int Place) Judge(string[] types, IList<MediaTypeHeaderValue> ranges)
    {
        var (quality, place, exactness) = (0.0, int.MaxValue, -1);
        for (var index = 0; index < ranges.Count; index++)
        {
            var range = ranges[index];
            var here = range.MatchesAllTypes ? 0 : range.MatchesAllSubTypes ? 1 : 2;
            if (here > exactness && types.Any(type => Matches(range, type)))
            {
                (quality, place, exactness) = (range.Quality ?? 1, index, here);
            }
        }
        return (quality, place);
    }

    /// <summary>Parameters such as <c>charset</c> and <c>header</c> do not matter.</summary>
    private static bool Matches(MediaTypeHeaderValue range, string type) => range.MatchesAllTypes
        || (range.MatchesAllSubTypes
            ? type.AsSpan(0, type.IndexOf('/', StringComparison.Ordinal)).Equals(range.Type, StringComparison.OrdinalIgnoreCase)
            : range.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase));
}
