using Frazil.Formats;

namespace Frazil.Hot;

/// <summary>What one record waited for, and what came of it: the same thing is asked for once, and many different ones not for
/// ever.</summary>
internal readonly record struct AnsweredNeed(long Offset, SchemaReference? Missing, bool IsAnswered, DecodeError? Problem, int Asked)
{
    /// <summary>Different things that one record may ask for: columns, and schemas that lead to others.</summary>
    private const int Most = 32;

    public static AnsweredNeed None { get; } = new(-1, null, false, null, 0);

    /// <summary>The record asks for something.</summary>
    public AnsweredNeed Asking(long offset, SchemaReference? missing)
        => new(offset, missing, false, null, offset == Offset ? Asked + 1 : 1);

    public AnsweredNeed With(long offset, DecodeError? problem)
        => offset == Offset ? this with { IsAnswered = true, Problem = problem } : this;

    /// <summary>Why the record at this offset can never be a row; null while nobody said so.</summary>
    public DecodeError? RefusalOf(long offset) => offset == Offset ? Problem : null;

    /// <summary>The record at this offset asks for what it asked for last, and that has come; or it has asked for too much.</summary>
    public bool CannotHelp(long offset, SchemaReference? missing)
        => offset == Offset && IsAnswered && (missing == Missing || Asked >= Most);
}
