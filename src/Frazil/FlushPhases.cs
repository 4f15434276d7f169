namespace Frazil;

/// <summary>
/// When the tables of a process flush first. Tables that begin together would all be of the same age together, and their flushes would take
/// the CPU from whoever reads and asks just then, interval after interval. So each has a phase of its own; once apart they stay apart.
/// Thread-safe.
/// </summary>
internal sealed class FlushPhases
{
    private int given;

    /// <summary>The next table's phase: the part of the flush interval after which its first flush is due. 1, 1/2, 3/4, 1/4, 7/8 and so on:
    /// they lie evenly however many come, and a table by itself has the whole interval.</summary>
    public double Next()
    {
        var (passed, part) = (0.0, 0.5);
        for (var bits = Interlocked.Increment(ref given) - 1; bits > 0; bits >>= 1)
        {
            passed += (bits & 1) * part;
            part /= 2;
        }
        return 1 - passed;
    }
}
