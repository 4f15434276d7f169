namespace Frazil.Parquet;

/// <summary>What a reader takes and refuses.</summary>
public sealed record ParquetReadOptions
{
    /// <summary>Native bytes that one call to read may take, its result included: what a file claims beyond that is an error. Read fewer
    /// rows or columns then.</summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>Bytes of a footer at most.</summary>
    public int MaxFooterBytes { get; init; } = 256 << 20;

    /// <summary>Checks the CRC-32 of each page that has one.</summary>
    public bool VerifyChecksums { get; init; } = true;

    /// <summary>The field id of a column that the file gives none, by its names from the top down (a list's <c>element</c>, a map's
    /// <c>key</c> and <c>value</c>); null where it has none. For tables with a name mapping.</summary>
    public Func<IReadOnlyList<string>, int?>? FieldIdOf { get; init; }
}
