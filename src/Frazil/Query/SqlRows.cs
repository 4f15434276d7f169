using Frazil.DuckDb;

namespace Frazil.Query;

/// <param name="Columns">Names and types.</param>
/// <param name="Rows">Values as <see cref="SqlResult"/> documents them.</param>
public sealed record SqlRows(IReadOnlyList<SqlColumn> Columns, IReadOnlyList<object?[]> Rows)
{
    /// <summary>Reads all rows.</summary>
    /// <exception cref="SqlException">The query failed, or there are more rows or bytes than allowed.</exception>
    internal static async Task<SqlRows> ReadAsync(SqlChunks chunks, int maxRows, long maxBytes, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        var budget = new ValueBudget(maxBytes);
        while (await chunks.ReadAsync(cancellationToken).ConfigureAwait(false) is { } chunk)
        {
            using (chunk)
            {
                Read(chunk, rows, budget, maxBytes);
            }
            if (rows.Count > maxRows)
            {
                throw new SqlException(
                    $"The result has more than {maxRows} rows, which is as many as are returned at once. Add a LIMIT, or aggregate.", null);
            }
        }
        return new([.. chunks.Columns.Select(static column => new SqlColumn(column.Name, column.Type.ToString()))], rows);
    }

    internal static SqlException TooManyBytes(long maxBytes, Exception failure) => new(
        $"The values of the result take more than {maxBytes} bytes, which is as many as are returned at once. Add a LIMIT, select "
        + "fewer columns or shorten long texts, or aggregate.", null, failure);

    private static void Read(DuckDbChunk chunk, List<object?[]> rows, ValueBudget budget, long maxBytes)
    {
        try
        {
            chunk.ReadRows(rows, budget);
        }
        catch (ValueBudgetException failure)
        {
            throw TooManyBytes(maxBytes, failure);
        }
    }
}
