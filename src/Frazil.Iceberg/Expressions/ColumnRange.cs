namespace Frazil.Iceberg.Expressions;

/// <summary>What is known of the values of one column in a file, or of one partition field in a manifest.</summary>
/// <param name="MayHaveNull">False only where there is surely no null.</param>
/// <param name="MayHaveNaN">False only where there is surely no NaN.</param>
/// <param name="MayHaveValues">False only where every value is surely null or NaN.</param>
/// <param name="MayHaveNonNull">False only where every value is surely null.</param>
/// <param name="MayHaveNumber">False only where every value is surely NaN (or null).</param>
/// <param name="Lower">At or below every value that is neither null nor NaN; null where unknown.</param>
/// <param name="Upper">At or above every value that is neither null nor NaN; null where unknown.</param>
internal readonly record struct ColumnRange(
    bool MayHaveNull, bool MayHaveNaN, bool MayHaveValues, bool MayHaveNonNull, bool MayHaveNumber, IcebergValue Lower, IcebergValue Upper)
{
    /// <summary>Whether all writers mean the same by two bounds. Of uuids Java's are the least and the greatest as signed numbers, others' as unsigned
    /// bytes (apache/iceberg #14216): such bounds say something only where they are one value.</summary>
    public static bool IsOrderAgreed(PrimitiveType type, byte[]? lower, byte[]? upper)
        => type.Id != TypeId.Uuid || (lower is not null && upper is not null && lower.AsSpan().SequenceEqual(upper));

    /// <summary>False only where surely no value passes the test.</summary>
    public bool MayMatch(BoundExpression.Predicate predicate)
    {
        switch (predicate.Operation)
        {
            case PredicateOperation.IsNull:
                return MayHaveNull;
            case PredicateOperation.NotNull:
                return MayHaveNonNull;
            case PredicateOperation.IsNaN:
                return MayHaveNaN;
            case PredicateOperation.NotNaN:
                return MayHaveNumber;
            case PredicateOperation.NotEqual or PredicateOperation.NotIn:
                return MayHaveNonNull && !IsOnly(predicate.Literals);
            case PredicateOperation.GreaterThan or PredicateOperation.GreaterThanOrEqual when MayHaveNaN:
                return true;
            default:
                return MayHaveValues && MayMatchValue(predicate);
        }
    }

    /// <summary>True where every value is surely one single value, and that is among the literals.</summary>
    private bool IsOnly(IcebergValue[] literals) =>
        !MayHaveNull && !MayHaveNaN && !Lower.IsNull && Lower == Upper && Array.IndexOf(literals, Lower) >= 0;

    private bool MayMatchValue(BoundExpression.Predicate predicate)
    {
        if (Lower.IsNaN || Upper.IsNaN || Array.Exists(predicate.Literals, literal => literal.IsNaN))
            return true;        // bounds that old writers spoiled; comparisons with NaN
        switch (predicate.Operation)
        {
            case PredicateOperation.LessThan:
                return Lower.IsNull || CompareNumbers(Lower, predicate.Literal) < 0;
            case PredicateOperation.LessThanOrEqual:
                return Lower.IsNull || CompareNumbers(Lower, predicate.Literal) <= 0;
            case PredicateOperation.GreaterThan:
                return Upper.IsNull || CompareNumbers(Upper, predicate.Literal) > 0;
            case PredicateOperation.GreaterThanOrEqual:
                return Upper.IsNull || CompareNumbers(Upper, predicate.Literal) >= 0;
            case PredicateOperation.Equal or PredicateOperation.In:
                foreach (var literal in predicate.Literals)
                    if ((Lower.IsNull || CompareNumbers(Lower, literal) <= 0) && (Upper.IsNull || CompareNumbers(Upper, literal) >= 0))
                        return true;
                return false;
            case PredicateOperation.StartsWith:
                var prefix = predicate.Literal.AsString();
                return (Lower.IsNull || ComparePrefix(Lower, prefix) <= 0) && (Upper.IsNull || ComparePrefix(Upper, prefix) >= 0);
            default:
                var unwanted = predicate.Literal.AsString();
                return MayHaveNull || Lower.IsNull || Upper.IsNull
                    || !Lower.AsString().StartsWith(unwanted, StringComparison.Ordinal)
                        || !Upper.AsString().StartsWith(unwanted, StringComparison.Ordinal);
        }
    }

    /// <summary>-0.0 equals 0.0 in every filter, whatever the order of bounds says.</summary>
    private static int CompareNumbers(IcebergValue bound, IcebergValue literal)
    {
        if (bound.Kind is ValueKind.Float32 or ValueKind.Float64 && bound.AsDouble() == 0 && literal.AsDouble() == 0)
            return 0;
        return bound.CompareTo(literal);
    }

    private static int ComparePrefix(IcebergValue bound, string prefix)
    {
        var text = bound.AsString();
        return CodePointOrder.Compare(text.Length > prefix.Length ? text[..prefix.Length] : text, prefix);
    }
}
