namespace Frazil.Iceberg.Expressions;

/// <summary>
/// A filter whose predicates know their column and hold literals of its type; negations are pushed into the predicates. Column ids are
/// field ids of a schema, or, after projection, positions in a partition tuple.
/// </summary>
internal abstract record BoundExpression
{
    public static BoundExpression True { get; } = new Constant(true);

    public static BoundExpression False { get; } = new Constant(false);

    public sealed record Constant(bool Value) : BoundExpression;

    public sealed record Junction(bool IsAnd, BoundExpression Left, BoundExpression Right) : BoundExpression;

    public sealed record Predicate(PredicateOperation Operation, int Column, PrimitiveType Type, IcebergValue[] Literals) : BoundExpression
    {
        public IcebergValue Literal => Literals[0];
    }

    public static BoundExpression And(BoundExpression left, BoundExpression right)
    {
        if (left is Constant l)
            return l.Value ? right : left;
        if (right is Constant r)
            return r.Value ? left : right;
        return new Junction(true, left, right);
    }

    public static BoundExpression Or(BoundExpression left, BoundExpression right)
    {
        if (left is Constant l)
            return l.Value ? left : right;
        if (right is Constant r)
            return r.Value ? right : left;
        return new Junction(false, left, right);
    }

    /// <summary>Evaluates with a test of single predicates.</summary>
    public bool Evaluate<TState>(TState state, Func<Predicate, TState, bool> test) => this switch
    {
        Constant constant => constant.Value,
        Junction { IsAnd: true } and => and.Left.Evaluate(state, test) && and.Right.Evaluate(state, test),
        Junction or => or.Left.Evaluate(state, test) || or.Right.Evaluate(state, test),
        Predicate predicate => test(predicate, state),
        _ => true,
    };

    /// <summary>Replaces every predicate.</summary>
    public BoundExpression Map(Func<Predicate, BoundExpression> map) => this switch
    {
        Junction junction => junction.IsAnd
            ? And(junction.Left.Map(map), junction.Right.Map(map))
            : Or(junction.Left.Map(map), junction.Right.Map(map)),
        Predicate predicate => map(predicate),
        _ => this,
    };

    /// <exception cref="ValidationException">A column does not exist, or a literal cannot be of its type.</exception>
    public static BoundExpression Bind(Expression expression, Schema schema, bool negated = false) => expression switch
    {
        Expression.Constant constant => constant.Value != negated ? True : False,
        Expression.Not not => Bind(not.Operand, schema, !negated),
        Expression.And and => negated
            ? Or(Bind(and.Left, schema, true), Bind(and.Right, schema, true))
            : And(Bind(and.Left, schema), Bind(and.Right, schema)),
        Expression.Or or => negated
            ? And(Bind(or.Left, schema, true), Bind(or.Right, schema, true))
            : Or(Bind(or.Left, schema), Bind(or.Right, schema)),
        Expression.Predicate predicate => BindPredicate(
            negated ? predicate with { Operation = Negate(predicate.Operation) } : predicate, schema),
        _ => throw new ValidationException($"The filter {expression} is not understood."),
    };

    private static PredicateOperation Negate(PredicateOperation operation) => operation switch
    {
        PredicateOperation.IsNull => PredicateOperation.NotNull,
        PredicateOperation.NotNull => PredicateOperation.IsNull,
        PredicateOperation.IsNaN => PredicateOperation.NotNaN,
        PredicateOperation.NotNaN => PredicateOperation.IsNaN,
        PredicateOperation.LessThan => PredicateOperation.GreaterThanOrEqual,
        PredicateOperation.LessThanOrEqual => PredicateOperation.GreaterThan,
        PredicateOperation.GreaterThan => PredicateOperation.LessThanOrEqual,
        PredicateOperation.GreaterThanOrEqual => PredicateOperation.LessThan,
        PredicateOperation.Equal => PredicateOperation.NotEqual,
        PredicateOperation.NotEqual => PredicateOperation.Equal,
        PredicateOperation.In => PredicateOperation.NotIn,
        PredicateOperation.NotIn => PredicateOperation.In,
        PredicateOperation.StartsWith => PredicateOperation.NotStartsWith,
        _ => PredicateOperation.StartsWith,
    };

    private static BoundExpression BindPredicate(Expression.Predicate predicate, Schema schema)
    {
        var field = schema.FindField(predicate.Column) ?? throw new ValidationException(
            $"The filter names the column '{predicate.Column}', which the schema does not have. It has: {string.Join(", ", schema.Fields.Select(one => one.Name))}.");
        // Files say nothing of structs as a whole, and only counts of values in lists and maps: such tests keep every file.
        if (field.Type is not PrimitiveType type || schema.IsRepeated(field.Id))
            return True;
        return predicate.Operation switch
        {
            PredicateOperation.IsNull when IsNeverNull(schema, field) => False,
            PredicateOperation.NotNull when IsNeverNull(schema, field) => True,
            PredicateOperation.IsNull or PredicateOperation.NotNull => new Predicate(predicate.Operation, field.Id, type, []),
            PredicateOperation.IsNaN or PredicateOperation.NotNaN => type.Id is TypeId.Float or TypeId.Double
                ? new Predicate(predicate.Operation, field.Id, type, [])
                : throw new ValidationException(
                    $"The filter asks '{predicate.Column}' of type {type} for NaN: only float and double have it."),
            PredicateOperation.In or PredicateOperation.NotIn => BindSet(predicate, field, type),
            _ => BindComparison(predicate, field, type),
        };
    }

    private static bool IsNeverNull(Schema schema, NestedField field)
    {
        for (var id = field.Id; id != 0; id = schema.ParentOf(id))
            if (!schema.FindField(id)!.Required)
                return false;
        return true;
    }

    private static BoundExpression BindSet(Expression.Predicate predicate, NestedField field, PrimitiveType type)
    {
        var literals = new List<IcebergValue>();
        foreach (var literal in predicate.Literals)
        {
            var bound = LiteralConversion.Convert(literal, type, predicate.Column);
            if (bound.Fit == LiteralFit.Exact)
                literals.Add(bound.Value);
        }
        if (literals.Count == 0)
            return predicate.Operation == PredicateOperation.In ? False : True;
        return new Predicate(predicate.Operation, field.Id, type, [.. literals.Distinct()]);
    }

    private static BoundExpression BindComparison(Expression.Predicate predicate, NestedField field, PrimitiveType type)
    {
        if (predicate.Operation is PredicateOperation.StartsWith or PredicateOperation.NotStartsWith && type.Id != TypeId.String)
            throw new ValidationException($"The filter tests the beginning of '{predicate.Column}', which is of type {type}, not string.");
        var bound = LiteralConversion.Convert(predicate.Literals[0], type, predicate.Column);
        if (bound.Fit == LiteralFit.Exact)
            return new Predicate(predicate.Operation, field.Id, type, [bound.Value]);
        var isLess = predicate.Operation is PredicateOperation.LessThan or PredicateOperation.LessThanOrEqual;
        return (bound.Fit, predicate.Operation) switch
        {
            (_, PredicateOperation.Equal) => False,
            (_, PredicateOperation.NotEqual) => True,
            (LiteralFit.AboveAll, _) => isLess ? True : False,
            (LiteralFit.BelowAll, _) => isLess ? False : True,
            _ => True,      // between two values of the column's type: keeping a file more is never wrong
        };
    }
}
