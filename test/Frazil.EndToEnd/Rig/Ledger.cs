using System.Text.Json;

namespace Frazil.Rig;

/// <summary>What the generator says a reader must find. Bad, null and aborted records are in neither the count nor the sums.</summary>
/// <param name="Records">Good records.</param>
/// <param name="Amount">The exact sum of <c>amount</c>.</param>
/// <param name="UserId">The sum of <c>user_id</c>.</param>
/// <param name="Bad">Records that are broken JSON.</param>
/// <param name="Null">Records without a value.</param>
/// <param name="Seconds">How long producing took.</param>
/// <param name="Counts">Records delivered per partition, aborted ones left out.</param>
public sealed record Ledger(
    long Records, decimal Amount, long UserId, long Bad = 0, long Null = 0, double Seconds = 0, IReadOnlyDictionary<int,
    long>? Counts = null)
{
    public static Ledger Empty { get; } = new(0, 0, 0);

    public static Ledger Parse(string text)
    {
        using var json = JsonDocument.Parse(text);
        var root = json.RootElement;
        return new(
            root.GetProperty("good").GetInt64(),
            root.GetProperty("sum_amount").GetDecimal(),
            root.GetProperty("sum_user_id").GetInt64(),
            root.GetProperty("bad").GetInt64(),
            root.GetProperty("null").GetInt64(),
            root.GetProperty("seconds").GetDouble(),
            root.GetProperty("partitions").EnumerateArray().ToDictionary(
                partition => partition.GetProperty("partition").GetInt32(), partition => partition.GetProperty("count").GetInt64()));
    }

    /// <summary>Two runs of the generator into the same topic.</summary>
    public static Ledger operator +(Ledger left, Ledger right) => new(
        left.Records + right.Records, left.Amount + right.Amount, left.UserId + right.UserId, left.Bad + right.Bad, left.Null + right.Null,
        left.Seconds + right.Seconds,
        (left.Counts ?? Nothing).Keys.Union((right.Counts ?? Nothing).Keys).ToDictionary(
            static partition => partition,
            partition => (left.Counts ?? Nothing).GetValueOrDefault(partition) + (right.Counts ?? Nothing).GetValueOrDefault(partition)));

    private static IReadOnlyDictionary<int, long> Nothing { get; } = new Dictionary<int, long>();
}
