namespace Frazil.Formats;

/// <summary>What became of one record.</summary>
public enum DecodeStatus : byte
{
    /// <summary>One row was appended.</summary>
    Ok,
    /// <summary>The record is sound but carries a value for which there is no column. The schema may evolve; then decode it again into a
    /// chunk of the new schema.</summary>
    UnknownField,
    /// <summary>The record cannot become a row of this schema, and no evolution would change that.</summary>
    Bad,
    /// <summary>The record names a schema that the decoder does not know; <see cref="DecodeResult.Missing"/> says which. Have the format
    /// fetch it (<c>RecordFormat.LoadSchemaAsync</c>), then decode the record again.</summary>
    SchemaMissing,
    /// <summary>A buffer of the chunk is at its 2 GiB limit. Seal it and decode the record again into a new one.</summary>
    ChunkFull,
}

/// <summary>The outcome of decoding one record.</summary>
/// <param name="Status">What became of the record.</param>
/// <param name="Error">Why; only with <see cref="DecodeStatus.UnknownField"/> and <see cref="DecodeStatus.Bad"/>.</param>
/// <param name="Missing">The schema to fetch; only with <see cref="DecodeStatus.SchemaMissing"/>.</param>
public readonly record struct DecodeResult(DecodeStatus Status, DecodeError? Error, SchemaReference? Missing = null)
{
    public bool IsOk => Status == DecodeStatus.Ok;

    internal static DecodeResult Bad(DecodeError error) => new(DecodeStatus.Bad, error);
}

/// <summary>A schema that records name. Two are the same where the texts are equal.</summary>
/// <param name="Id">As the format writes it, with whatever tells it from others (registry, context): for messages and comparing.</param>
public sealed record SchemaReference(string Id);

/// <summary>Why a record was not decoded.</summary>
/// <param name="Reason">The kind of failure.</param>
/// <param name="Path">The field, as <c>device.tags[2]</c>; empty for the record itself.</param>
/// <param name="Offset">Byte of the value at which it was noticed.</param>
/// <param name="Message">For people: what was expected, what was seen.</param>
public sealed record DecodeError(DecodeReason Reason, string Path, long Offset, string Message)
{
    /// <summary>The reason as dead letters and metrics name it: lower case with underscores, never renamed.</summary>
    public string Code => Reason switch
    {
        DecodeReason.Empty => "empty",
        DecodeReason.Syntax => "syntax",
        DecodeReason.InvalidUtf8 => "invalid_utf8",
        DecodeReason.TooDeep => "too_deep",
        DecodeReason.TooLarge => "too_large",
        DecodeReason.NotAnObject => "not_an_object",
        DecodeReason.DuplicateField => "duplicate_field",
        DecodeReason.WrongType => "wrong_type",
        DecodeReason.OutOfRange => "out_of_range",
        DecodeReason.Inexact => "inexact",
        DecodeReason.BadText => "bad_text",
        DecodeReason.MissingRequired => "missing_required",
        DecodeReason.UnknownField => "unknown_field",
        DecodeReason.ReservedField => "reserved_field",
        DecodeReason.ConflictingTypes => "conflicting_types",
        DecodeReason.ConflictingNames => "conflicting_names",
        DecodeReason.UnknownSchema => "unknown_schema",
        _ => "unknown",
    };

    public override string ToString() => Message;
}

/// <summary>The kinds of failure of a record.</summary>
public enum DecodeReason : byte
{
    /// <summary>No bytes at all, or only white space.</summary>
    Empty,
    /// <summary>Not a well-formed document of its format.</summary>
    Syntax,
    /// <summary>Bytes that are not UTF-8, or an escaped lone surrogate.</summary>
    InvalidUtf8,
    /// <summary>Nested deeper than 64 levels.</summary>
    TooDeep,
    /// <summary>One record alone exceeds what a chunk can hold.</summary>
    TooLarge,
    /// <summary>A well-formed document that is not an object, so it names no columns.</summary>
    NotAnObject,
    /// <summary>A name stands twice in one object.</summary>
    DuplicateField,
    /// <summary>A value of another kind than its column.</summary>
    WrongType,
    /// <summary>A number or time that its column's type cannot hold.</summary>
    OutOfRange,
    /// <summary>A number or time that its column's type could hold only rounded.</summary>
    Inexact,
    /// <summary>A text that is not of the form its column's type needs (a date, a UUID, base64).</summary>
    BadText,
    /// <summary>Null or nothing for a required column.</summary>
    MissingRequired,
    /// <summary>A field that no column holds.</summary>
    UnknownField,
    /// <summary>A field with the name of a column that the pipeline itself fills.</summary>
    ReservedField,
    /// <summary>A new field whose values are of kinds that no one column can hold.</summary>
    ConflictingTypes,
    /// <summary>A new field whose name SQL or other engines could not tell from another column's, or from a partition field's.</summary>
    ConflictingNames,
    /// <summary>A schema that nobody knows, or that is none.</summary>
    UnknownSchema,
}
