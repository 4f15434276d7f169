namespace Frazil.EndToEnd.Attacks;

/// <summary>The statements beside these sources, one a line; lines that begin with two dashes name what follows.</summary>
internal static class AttackFile
{
    private const int OneInHowMany = 6;
    private static readonly string[] Costly = ["-- Work without an end", "-- Memory", "-- Over a table"];

    /// <summary>Of the attacks that take all the time they get, and a process each, one in six; with <c>FRAZIL_ATTACKS=all</c> all.</summary>
    public static async Task<IReadOnlyList<string>> ReadSomeAsync(CancellationToken cancellationToken)
    {
        var isAll = Environment.GetEnvironmentVariable("FRAZIL_ATTACKS") == "all";
        var attacks = new List<string>();
        var (isCostly, number) = (false, 0);
        foreach (var line in await ReadLinesAsync("attacks.sql", cancellationToken))
        {
            if (IsHeading(line))
            {
                isCostly = Costly.Any(section => line.StartsWith(section, StringComparison.Ordinal));
            }
            else if (!isCostly || isAll || number++ % OneInHowMany == 0)
            {
                attacks.Add(line);
            }
        }
        return attacks;
    }

    /// <summary>Every attack, and statements as people send them.</summary>
    public static async Task<IReadOnlyList<string>> ReadAllAsync(CancellationToken cancellationToken) =>
    [
        .. (await ReadLinesAsync("attacks.sql", cancellationToken)).Concat(await ReadLinesAsync("statements.sql", cancellationToken)).Where(static line => !IsHeading(line)),
    ];

    private static bool IsHeading(string line) => line.StartsWith("--", StringComparison.Ordinal);

    private static async Task<IEnumerable<string>> ReadLinesAsync(string name, CancellationToken cancellationToken)
        => (await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Attacks", name), cancellationToken)).Where(static line => line.Length > 0);
}
