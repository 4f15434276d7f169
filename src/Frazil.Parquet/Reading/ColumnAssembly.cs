using Frazil.Columnar;
using Frazil.Parquet.Levels;

namespace Frazil.Parquet.Reading;

/// <summary>Makes columns in Arrow layout out of levels and values. Leaves that do not agree on how many elements there are end in an
/// error: lengths that views carry are counted, never claimed.</summary>
internal sealed unsafe class ColumnAssembly(IReadOnlyDictionary<int, LeafData> leaves, ReadBudget budget, List<IDisposable> owned)
{
    /// <param name="column">The column.</param>
    /// <param name="places">Values that it must have: rows, or elements of the list around it.</param>
    /// <exception cref="InvalidDataException">It has not.</exception>
    public ColumnView Build(ReadColumn column, int places)
    {
        var data = leaves[column.FirstLeaf.Index];
        switch (column.Nested)
        {
            case null:
                return new LeafAssembly(data, budget, owned).Build(column, places, BuildValidity(column, data, places));
            case ColumnKind.Struct:
                var validity = BuildValidity(column, data, places);
                return new()
                {
                    Type = column.Type,
                    Length = places,
                    Validity = validity,
                    Children = [.. column.Children.Select(child => Build(child, places))],
                };
            default:
                var offsets = BuildOffsets(column, data, places);
                return new()
                {
                    Type = column.Type,
                    Length = places,
                    Validity = BuildValidity(column, data, places),
                    Offsets = offsets,
                    Children = [.. column.Children.Select(child => Build(child, offsets[places]))],
                };
        }
    }

    /// <summary>Null where everything is present.</summary>
    private byte* BuildValidity(ReadColumn column, LeafData data, int places)
    {
        if (data.Definitions == null)
        {
            return places == data.Count ? null : throw Disagreement(column);
        }
        var definitions = data.Definitions;
        var repetitions = data.Repetitions;
        if (repetitions == null)
        {
            // No list around it: an entry for each place.
            return places == data.Count ? PackPresent(definitions, column.Definition, places, data.ValueCount) : throw Disagreement(column);
        }
        var bits = Allocate((places + 63L) / 64 * sizeof(ulong));
        var (place, isWhole) = (0, true);
        for (var entry = 0; entry < data.Count; entry++)
        {
            if (definitions[entry] < column.PlaceDefinition || repetitions[entry] > column.Repetition)
            {
                continue;
            }
            if (place == places)
            {
                throw Disagreement(column);
            }
            var isPresent = definitions[entry] >= column.Definition;
            bits[place >> 3] |= (byte)(isPresent ? 1 << (place & 7) : 0);
            isWhole &= isPresent;
            place++;
        }
        return place != places ? throw Disagreement(column) : isWhole ? null : bits;
    }

    /// <summary>A bit for each definition level that is high enough; null where all of them are.</summary>
    private byte* PackPresent(byte* definitions, int least, int count, int values)
    {
        if (values == count || least == 0 || !new ReadOnlySpan<byte>(definitions, count).ContainsAnyInRange((byte)0, (byte)(least - 1)))
        {
            return null;
        }
        var bits = Allocate((count + 63L) / 64 * sizeof(ulong));
        Bits.PackAtLeast(definitions, (byte)least, bits, count);
        return bits;
    }

    private int* BuildOffsets(ReadColumn column, LeafData data, int places)
    {
        var offsets = (int*)Allocate((places + 1L) * sizeof(int));
        var (place, elements) = (0, 0);
        for (var entry = 0; entry < data.Count; entry++)
        {
            var (definition, repetition) = (data.Definitions[entry], data.Repetitions[entry]);
            if (definition >= column.PlaceDefinition && repetition <= column.Repetition)
            {
                if (place == places)
                {
                    throw Disagreement(column);
                }
                offsets[place++] = elements;
            }
            elements += definition >= column.ElementDefinition && repetition <= column.Repetition + 1 ? 1 : 0;
        }
        offsets[places] = elements;
        return place == places ? offsets : throw Disagreement(column);
    }

    private byte* Allocate(long bytes)
    {
        budget.Take(bytes);
        var buffer = new NativeBuffer();
        owned.Add(buffer);
        var room = buffer.Reserve(bytes);
        new Span<byte>(room, checked((int)bytes)).Clear();
        return room;
    }

    private static InvalidDataException Disagreement(ReadColumn column)
        => new($"The leaves of the Parquet column '{column.Name}' (field {column.FieldId}) do not agree on how many values it has.");
}
