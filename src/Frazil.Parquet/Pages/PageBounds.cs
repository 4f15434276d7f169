using Frazil.Parquet.Encodings;
using Frazil.Parquet.Schema;
using Frazil.Parquet.Statistics;

namespace Frazil.Parquet.Pages;

/// <summary>Bounds of each page of a chunk, and of the whole chunk. With a dictionary only the entries that a page uses are
/// looked at.</summary>
internal sealed unsafe class PageBounds
{
    private readonly ColumnDictionary? dictionary;
    private readonly bool[] isUsed;
    private readonly List<int> nanCodes = [];

    public PageBounds(LeafColumn leaf, ColumnDictionary? dictionary)
    {
        this.dictionary = dictionary;
        Page = ValueBounds.Create(leaf.Field.Type);
        Chunk = ValueBounds.Create(leaf.Field.Type);
        isUsed = dictionary is null ? [] : new bool[dictionary.Count];
        for (var code = 0; Page.NanCount is not null && code < isUsed.Length; code++)
        {
            Page.Clear();
            Page.Add(dictionary!.Entries, code, 1);
            if (Page.NanCount > 0)
            {
                nanCodes.Add(code);
            }
        }
    }

    public ValueBounds Page { get; }

    public ValueBounds Chunk { get; }

    public void AddPage(byte* values, int* codes, PageRange range)
    {
        Page.Clear();
        if (dictionary is null)
        {
            Page.Add(values, range.FirstValue, range.Values);
        }
        else
        {
            AddUsed(codes + range.FirstValue, range.Values);
        }
        Chunk.Merge(Page);
    }

    private void AddUsed(int* codes, int count)
    {
        if (isUsed.Length == 1)
        {
            isUsed[0] = count > 0;
        }
        else
        {
            Array.Clear(isUsed);
            ref var first = ref isUsed[0];
            for (var index = 0; index < count; index++)
            {
                System.Runtime.CompilerServices.Unsafe.Add(ref first, codes[index]) = true;
            }
        }
        for (var code = 0; code < isUsed.Length; code++)
        {
            if (isUsed[code])
            {
                Page.Add(dictionary!.Entries, code, 1);
            }
        }
        foreach (var code in nanCodes)
        {
            // The entry itself was counted once, where it is used.
            Page.AddNans(new ReadOnlySpan<int>(codes, count).Count(code) - (isUsed[code] ? 1 : 0));
        }
    }
}
