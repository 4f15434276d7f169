using Frazil.Columnar;

namespace Frazil.Formats;

/// <summary>Records that asked for columns, or what a format keeps of them, to propose the columns from: the first one is what must fit,
/// the others make the proposal better (a number with a fraction after a whole one gives double).</summary>
internal abstract class RecordSamples
{
    /// <summary>As many records as are worth looking at.</summary>
    public const int Most = 1000;

    public abstract int Count { get; }

    /// <summary>Copies what is needed of it.</summary>
    public abstract void Add(in SourceRecord record);

    /// <summary>Those of these places at which a sample has a value.</summary>
    /// <param name="paths">Names of fields from the record down; null stands for every element of a list, or value of a map.</param>
    public abstract IReadOnlyCollection<IReadOnlyList<string?>> WithValues(IReadOnlyCollection<IReadOnlyList<string?>> paths);

    /// <summary>What to add to <paramref name="known"/>; or why the first record can never fit. A later record that does not fit is left
    /// out: it is judged when its own turn comes.</summary>
    /// <param name="known">The columns that are there.</param>
    /// <param name="partitionFields">Names that the table's partition fields have, each with its column.</param>
    /// <param name="reserved">Names of the columns that the pipeline itself fills.</param>
    /// <param name="most">How many of the records to look at.</param>
    public abstract (IReadOnlyList<SchemaAddition> Additions, DecodeError? Problem) Propose(
        ColumnFields known, IReadOnlyList<(string Name, string Column)> partitionFields, IReadOnlyList<string> reserved, int most = Most);
}
