using Frazil.Columnar;

namespace Frazil.Decode;

/// <summary>Records that asked for columns, kept to propose them from: the first one is what must fit, the others make the proposal better
/// (a number with a fraction after a whole one gives double).</summary>
internal sealed class SchemaSamples
{
    /// <summary>As many records as are worth looking at.</summary>
    public const int Most = 1000;

    private readonly List<byte[]> records = [];

    public int Count => records.Count;

    /// <summary>The records, as they came.</summary>
    public IReadOnlyList<byte[]> Records => records;

    public void Add(ReadOnlySpan<byte> record) => records.Add(record.ToArray());

    /// <summary>What to add to <paramref name="known"/>; or why the first record can never fit. A later record that does not fit is left
    /// out: it is judged when its own turn comes.</summary>
    /// <param name="known">The columns that are there.</param>
    /// <param name="partitionFields">Names that the table's partition fields have, each with its column.</param>
    /// <param name="reserved">Names of the columns that the pipeline itself fills.</param>
    /// <param name="most">How many of the records to look at.</param>
    public (IReadOnlyList<SchemaAddition> Additions, DecodeError? Problem) Propose(
        ColumnFields known, IReadOnlyList<(string Name, string Column)> partitionFields, IReadOnlyList<string> reserved, int most = Most)
    {
        var inference = new JsonSchemaInference(known, partitionFields: partitionFields, reserved: reserved);
        for (var i = 0; i < Math.Min(records.Count, most); i++)
        {
            var problem = inference.Add(records[i]);
            if (i == 0 && problem is not null)
            {
                return ([], problem);
            }
        }
        return (inference.Additions, null);
    }
}
