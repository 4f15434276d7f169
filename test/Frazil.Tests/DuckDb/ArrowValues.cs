using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Frazil.Columnar;

namespace Frazil.Tests.DuckDb;

/// <summary>Hand-made Arrow columns out of .NET values, for tests that need a layout of their own choosing. Freed on dispose.</summary>
internal sealed unsafe class ArrowValues : IDisposable
{
    private readonly List<nint> blocks = [];

    public bool IsDisposed { get; private set; }

    /// <summary>One batch with every row; <paramref name="columns"/> hold one list of values a field.</summary>
    public BatchSlice Slice(ColumnFields fields, params IReadOnlyList<object?>[] columns) => new()
    {
        Schema = fields,
        Columns = [.. fields.Select((field, index) => View(field.Type, columns[index]))],
        Count = columns.Length == 0 ? 0 : columns[0].Count,
    };

    /// <summary>Values: as DuckDbValues reads them; decimals as BigInteger (unscaled), times in their stored unit; struct as object?[] by
    /// field; list as object?[]; map as KeyValuePair[].</summary>
    public ColumnView View(ColumnType type, IReadOnlyList<object?> values) => new()
    {
        Type = type,
        Length = values.Count,
        Validity = values.Any(IsNull) ? Bits([.. values.Select(value => !IsNull(value))]) : null,
        Values = Bytes(type, values),
        Offsets = type.Kind is ColumnKind.Utf8 or ColumnKind.Binary or ColumnKind.List or ColumnKind.Map ? Offsets(values) : null,
        Children = Children(type, values),
    };

    public void Dispose()
    {
        IsDisposed = true;
        foreach (var block in blocks)
        {
            NativeMemory.Free((void*)block);
        }
        blocks.Clear();
    }

    private static bool IsNull(object? value) => value is null or NullStruct;

    private byte* Allocate(int size)
    {
        var block = (byte*)NativeMemory.AllocZeroed((nuint)Math.Max(size, 1));
        blocks.Add((nint)block);
        return block;
    }

    private byte* Bits(bool[] values)
    {
        var bits = Allocate((values.Length + 63) / 64 * 8);
        for (var index = 0; index < values.Length; index++)
        {
            bits[index >> 3] |= (byte)(values[index] ? 1 << (index & 7) : 0);
        }
        return bits;
    }

    private byte* Bytes(ColumnType type, IReadOnlyList<object?> values)
    {
        if (type.Fields.Count > 0 || type.Kind == ColumnKind.Struct)
        {
            return null;
        }
        if (type.Kind == ColumnKind.Boolean)
        {
            return Bits([.. values.Select(value => value is true)]);
        }
        var width = type.ValueSize;
        var encoded = values.Select(value => Encode(type, value) ?? new byte[width]).ToList();
        var block = Allocate(encoded.Sum(bytes => bytes.Length));
        var at = block;
        foreach (var bytes in encoded)
        {
            bytes.CopyTo(new Span<byte>(at, bytes.Length));
            at += bytes.Length;
        }
        return block;
    }

    private static byte[]? Encode(ColumnType type, object? value)
    {
        switch (value)
        {
            case null: return null;
            case int number: return BitConverter.GetBytes(number);
            case long number: return BitConverter.GetBytes(number);
            case float number: return BitConverter.GetBytes(number);
            case double number: return BitConverter.GetBytes(number);
            case string text: return Encoding.UTF8.GetBytes(text);
            case byte[] bytes: return bytes;
            case Guid guid: return guid.ToByteArray(bigEndian: true);
            case BigInteger number:
                var bytes16 = new byte[16];
                BinaryPrimitives.WriteInt128LittleEndian(bytes16, (Int128)number);
                return bytes16;
            default: throw new NotSupportedException($"{type} of {value.GetType()}");
        }
    }

    private int* Offsets(IReadOnlyList<object?> values)
    {
        var offsets = (int*)Allocate((values.Count + 1) * 4);
        for (var index = 0; index < values.Count; index++)
        {
            offsets[index + 1] = offsets[index] + values[index] switch
            {
                null => 0,
                string text => Encoding.UTF8.GetByteCount(text),
                Array array => array.Length,
                _ => throw new NotSupportedException(),
            };
        }
        return offsets;
    }

    private IReadOnlyList<ColumnView> Children(ColumnType type, IReadOnlyList<object?> values) => type.Kind switch
    {
        ColumnKind.Struct => [.. type.Fields.Select((field, index) => View(field.Type, [.. values.Select(value => Member(value, index))]))],
        ColumnKind.List => [View(type.Fields[0].Type, [.. values.SelectMany(value => (object?[]?)value ?? [])])],
        ColumnKind.Map =>
        [
            View(type.Fields[0].Type, [.. values.SelectMany(Pairs).Select(pair => (object?)pair.Key)]),
            View(type.Fields[1].Type, [.. values.SelectMany(Pairs).Select(pair => pair.Value)]),
        ],
        _ => [],
    };

    // A null struct's children may hold anything; a value that must not be seen is the hardest case.
    private static object? Member(object? value, int index) => value switch
    {
        object?[] members => members[index],
        NullStruct hidden => hidden.Members[index],
        _ => null,
    };

    private static KeyValuePair<object, object?>[] Pairs(object? value) => (KeyValuePair<object, object?>[]?)value ?? [];
}

/// <summary>A null struct with something in its children's buffers, which Arrow allows and readers must not see.</summary>
internal sealed record NullStruct(object?[] Members);
