namespace Frazil.DuckDb;

/// <summary>How much a result may take once it is .NET values. Each value counts <see cref="ValueBytes"/>, whether it is null or stands in
/// a list, a struct or a map; text (as UTF-8) and blobs count their bytes besides, lists and maps eight for each element. Not
/// thread-safe.</summary>
/// <param name="limit">Bytes.</param>
public sealed class ValueBudget(long limit)
{
    /// <summary>What a value counts beside the bytes of its text.</summary>
    public const int ValueBytes = 16;

    private long left = limit;

    /// <summary>Call before the memory is taken.</summary>
    /// <exception cref="ValueBudgetException">It does not fit any more.</exception>
    public void Take(long bytes)
    {
        left -= bytes;
        if (left < 0)
        {
            throw new ValueBudgetException("The values read take more bytes than allowed.");
        }
    }
}

/// <summary>A result takes more memory than its reader allows.</summary>
/// <param name="message">What was exceeded.</param>
public sealed class ValueBudgetException(string message) : Exception(message);
