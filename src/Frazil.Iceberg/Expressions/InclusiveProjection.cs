namespace Frazil.Iceberg.Expressions;

/// <summary>
/// Turns a filter over rows into one over partition tuples that is true of the partition of every matching row. Predicates of the
/// result name positions in the tuple.
/// </summary>
internal static class InclusiveProjection
{
    public static BoundExpression Of(BoundExpression filter, PartitionSpec spec, TableMetadata metadata) => filter.Map(predicate =>
    {
        var projected = BoundExpression.True;
        for (var i = 0; i < spec.Fields.Count; i++)
        {
            if (spec.Fields[i].SourceId != predicate.Column || spec.Fields[i].SourceIds is { Count: > 1 })
                continue;
            var source = metadata.SourceTypeOf(spec.Fields[i]);
            if (Project(predicate, spec.Fields[i].Transform, source) is { } one)
                projected = BoundExpression.And(projected, one with { Column = i, Type = spec.Fields[i].Transform.ResultType(source) });
        }
        return projected;
    });

    /// <summary>Null where nothing can be said of the partition.</summary>
    private static BoundExpression.Predicate? Project(BoundExpression.Predicate predicate, Transform transform, PrimitiveType source)
    {
        switch (transform.Kind)
        {
            case TransformKind.Identity:
                return predicate;
            case TransformKind.Void or TransformKind.Unknown:
                return null;
        }
        return predicate.Operation switch
        {
            PredicateOperation.IsNull or PredicateOperation.NotNull => predicate,
            PredicateOperation.Equal => With(
                predicate, PredicateOperation.Equal, Fixed(transform, source, [transform.Apply(source, predicate.Literal)])),
            PredicateOperation.In => With(
                predicate, PredicateOperation.In,
                Fixed(transform, source, [.. predicate.Literals.Select(literal => transform.Apply(source, literal)).Distinct()])),
            PredicateOperation.StartsWith
                or PredicateOperation.NotStartsWith when transform.Kind == TransformKind.Truncate => ProjectPrefix(
                    predicate, transform.Argument),
            _ => transform.PreservesOrder ? ProjectRange(predicate, transform, source) : null,
        };
    }

    private static BoundExpression.Predicate? ProjectRange(BoundExpression.Predicate predicate, Transform transform, PrimitiveType source)
    {
        var isDiscrete = predicate.Literal.Kind is ValueKind.Int32 or ValueKind.Int64 or ValueKind.Decimal;
        switch (predicate.Operation)
        {
            case PredicateOperation.LessThan or PredicateOperation.LessThanOrEqual:
                var high = predicate.Operation == PredicateOperation.LessThan && isDiscrete
                    ? Step(predicate.Literal, -1)
                    : predicate.Literal;
                if (high is not { } highest)
                    return null;
                var upper = transform.Apply(source, highest);
                // Iceberg up to 0.10 rounded times before 1970 up by one: its partitions lie one higher than they should.
                if (MayBeMisrounded(transform, source) && upper.AsInt() < 0)
                    upper = upper.AsInt() + 1;
                return With(predicate, PredicateOperation.LessThanOrEqual, [upper]);
            case PredicateOperation.GreaterThan or PredicateOperation.GreaterThanOrEqual:
                var low = predicate.Operation == PredicateOperation.GreaterThan && isDiscrete
                    ? Step(predicate.Literal, 1)
                    : predicate.Literal;
                return low is { } lowest ? With(predicate, PredicateOperation.GreaterThanOrEqual, [transform.Apply(source, lowest)]) : null;
            default:
                return null;
        }
    }

    private static BoundExpression.Predicate? ProjectPrefix(BoundExpression.Predicate predicate, int width)
    {
        var prefix = predicate.Literal.AsString();
        var cut = TransformFunctions.TruncateString(prefix, width);
        var isNegated = predicate.Operation == PredicateOperation.NotStartsWith;
        if (cut.Length < prefix.Length)
            return isNegated ? null : With(predicate, PredicateOperation.Equal, [cut]);
        var fills = prefix.EnumerateRunes().Count() == width;
        if (!fills)
            return predicate;
        return With(predicate, isNegated ? PredicateOperation.NotEqual : PredicateOperation.Equal, [prefix]);
    }

    private static IcebergValue[] Fixed(Transform transform, PrimitiveType source, IcebergValue[] projected) =>
        MayBeMisrounded(transform, source)
            ? [.. projected.SelectMany(value => value.AsInt() < 0 ? new IcebergValue[] { value, value.AsInt() + 1 } : [value]).Distinct()]
            : projected;

    private static bool MayBeMisrounded(Transform transform, PrimitiveType source) =>
        transform.IsTemporal && !(transform.Kind == TransformKind.Day && source.Id == TypeId.Date);

    private static BoundExpression.Predicate With(
        BoundExpression.Predicate predicate, PredicateOperation operation, IcebergValue[] literals) =>
        predicate with
        {
            Operation = operation == PredicateOperation.Equal && literals.Length > 1 ? PredicateOperation.In : operation,
            Literals = literals,
        };

    /// <summary>The next value up or down; null at the end of the range.</summary>
    private static IcebergValue? Step(IcebergValue value, int step) => value.Kind switch
    {
        ValueKind.Int32 => value.AsInt() == (step < 0 ? int.MinValue : int.MaxValue) ? (IcebergValue?)null : value.AsInt() + step,
        ValueKind.Int64 => value.AsLong() == (step < 0 ? long.MinValue : long.MaxValue) ? (IcebergValue?)null : value.AsLong() + step,
        _ => IcebergValue.FromDecimal(value.AsUnscaledDecimal() + step, value.DecimalScale),
    };
}
