using Frazil.Parquet.Statistics;

namespace Frazil.Parquet.Metadata;

/// <summary>Thrift's Statistics of a column chunk.</summary>
internal static class ChunkStatistics
{
    public static void Write(ThriftWriter thrift, ValueBounds bounds, long nulls)
    {
        thrift.BeginStruct();
        thrift.WriteInt64(3, nulls);
        if (!bounds.IsEmpty)
        {
            using var bytes = new NativeBuffer();
            var isUpperExact = bounds.Append(bytes, isUpper: true);
            thrift.WriteBinary(5, bytes.Span);
            bytes.Clear();
            var isLowerExact = bounds.Append(bytes, isUpper: false);
            thrift.WriteBinary(6, bytes.Span);
            thrift.WriteBoolean(7, isUpperExact);
            thrift.WriteBoolean(8, isLowerExact);
        }
        if (bounds.NanCount is { } nans)
        {
            thrift.WriteInt64(9, nans);
        }
        thrift.EndStruct();
    }
}
