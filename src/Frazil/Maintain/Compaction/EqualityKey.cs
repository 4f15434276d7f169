using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using Frazil.Columnar;

namespace Frazil.Maintain.Compaction;

/// <summary>Values of some fields of a row as bytes: two rows have equal ones exactly where equality deletes take them for equal. As Java
/// compares: null is null, NaN is NaN, -0 is not 0; an int that was widened since is the same number. Not thread-safe.</summary>
internal sealed unsafe class EqualityKey
{
    private readonly Step[][] paths;
    private byte[] buffer = new byte[64];
    private int length;

    /// <param name="schema">Of the rows.</param>
    /// <param name="columns">One view a field.</param>
    /// <param name="fieldIds">Fields that must be equal, in the order of their ids; those that the rows lack are null.</param>
    /// <exception cref="NotSupportedException">A field is no single value of a row.</exception>
    public EqualityKey(ColumnFields schema, IReadOnlyList<ColumnView> columns, IEnumerable<int> fieldIds)
        => paths = [.. fieldIds.Select(id => Find(schema, columns, id) ?? [])];

    /// <summary>Good until the next call.</summary>
    public ReadOnlySpan<byte> Of(long row)
    {
        length = 0;
        foreach (var path in paths)
        {
            Append(path, row);
        }
        return buffer.AsSpan(0, length);
    }

    private void Append(Step[] path, long row)
    {
        if (path.Length == 0 || Array.Exists(path, step => step.View.IsNull(row)))
        {
            Append([0]);
            return;
        }
        Append([1]);
        var view = path[^1].View;
        switch (path[^1].Type.Kind)
        {
            case ColumnKind.Boolean:
                Append([(byte)((view.Values[row >> 3] >> (int)(row & 7)) & 1)]);
                break;
            case ColumnKind.Int32 or ColumnKind.Date32:
                Append(((int*)view.Values)[row]);
                break;
            case ColumnKind.Int64 or ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz:
                Append(((long*)view.Values)[row]);
                break;
            case ColumnKind.Float32:
                Append(BitsOf(((float*)view.Values)[row]));
                break;
            case ColumnKind.Float64:
                Append(BitsOf(((double*)view.Values)[row]));
                break;
            case ColumnKind.Utf8 or ColumnKind.Binary:
                var bytes = new ReadOnlySpan<byte>(view.Values + view.Offsets[row], view.Offsets[row + 1] - view.Offsets[row]);
                Append(bytes.Length);
                Append(bytes);
                break;
            default:
                var width = path[^1].Type.ValueSize;
                Append(new ReadOnlySpan<byte>(view.Values + row * width, width));
                break;
        }
    }

    /// <summary>All that are not a number are one.</summary>
    private static long BitsOf(double value) => BitConverter.DoubleToInt64Bits(double.IsNaN(value) ? double.NaN : value);

    private void Append(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        Append(bytes);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (buffer.Length - length < bytes.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + bytes.Length));
        }
        bytes.CopyTo(buffer.AsSpan(length));
        length += bytes.Length;
    }

    /// <summary>From the row down to the field, through structs; null where the rows lack it.</summary>
    private static Step[]? Find(ColumnFields fields, IReadOnlyList<ColumnView> views, int fieldId)
    {
        for (var index = 0; index < fields.Count; index++)
        {
            var (field, view) = (fields[index], views[index]);
            var step = new Step(field.Type, view);
            if (field.FieldId == fieldId)
            {
                return field.Type.Fields.Count == 0
                    ? [step]
                    : throw new NotSupportedException($"The field {field} is no single value, so that rows cannot be told by it.");
            }
            if (field.Type.Kind == ColumnKind.Struct && Find(field.Type.Fields, view.Children, fieldId) is { } below)
            {
                return [step, .. below];
            }
        }
        return null;
    }

    private readonly record struct Step(ColumnType Type, ColumnView View);

    /// <summary>Keys that are kept, looked up by those that are not.</summary>
    public sealed class Comparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)XxHash3.HashToUInt64(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
