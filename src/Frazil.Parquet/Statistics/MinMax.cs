using System.Numerics;

namespace Frazil.Parquet.Statistics;

/// <summary>Least and greatest of numbers, by whole vectors.</summary>
internal static unsafe class MinMax
{
    /// <param name="values">Integers.</param>
    /// <param name="count">One at least.</param>
    public static (T Least, T Greatest) Of<T>(T* values, int count)
        where T : unmanaged, INumber<T>
    {
        var (least, greatest) = (values[0], values[0]);
        var index = 0;
        if (count >= Vector<T>.Count)
        {
            var leasts = Vector.Load(values);
            var greatests = leasts;
            for (index = Vector<T>.Count; index <= count - Vector<T>.Count; index += Vector<T>.Count)
            {
                var next = Vector.Load(values + index);
                leasts = Vector.Min(leasts, next);
                greatests = Vector.Max(greatests, next);
            }
            for (var lane = 0; lane < Vector<T>.Count; lane++)
            {
                least = T.Min(least, leasts[lane]);
                greatest = T.Max(greatest, greatests[lane]);
            }
        }
        for (; index < count; index++)
        {
            least = T.Min(least, values[index]);
            greatest = T.Max(greatest, values[index]);
        }
        return (least, greatest);
    }
}
