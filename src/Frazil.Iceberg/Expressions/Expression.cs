namespace Frazil.Iceberg.Expressions;

public enum PredicateOperation : byte
{
    IsNull, NotNull, IsNaN, NotNaN,
    LessThan, LessThanOrEqual, GreaterThan, GreaterThanOrEqual, Equal, NotEqual,
    In, NotIn, StartsWith, NotStartsWith,
}

/// <summary>
/// A filter over rows, by column name, used to leave out files that cannot hold a matching row. Immutable. Comparisons with null
/// are never true, as in SQL; NaN counts as greater than every number, as in DuckDB and Spark.
/// </summary>
public abstract record Expression
{
    private Expression() { }

    public static Expression True { get; } = new Constant(true);

    public static Expression False { get; } = new Constant(false);

    public sealed record Constant(bool Value) : Expression;

    public sealed record And(Expression Left, Expression Right) : Expression;

    public sealed record Or(Expression Left, Expression Right) : Expression;

    public sealed record Not(Expression Operand) : Expression;

    /// <param name="Operation">The test.</param>
    /// <param name="Column">A dotted column name.</param>
    /// <param name="Literals">None, one, or (in, not in) any number; none is null. Text stands for dates, times, timestamps, decimals and
    /// uuids too.</param>
    public sealed record Predicate(PredicateOperation Operation, string Column, IReadOnlyList<IcebergValue> Literals) : Expression
    {
        public override string ToString() => $"{Column} {Operation} {string.Join(", ", Literals)}";
    }

    public static Expression IsNull(string column) => new Predicate(PredicateOperation.IsNull, column, []);
    public static Expression NotNull(string column) => new Predicate(PredicateOperation.NotNull, column, []);
    public static Expression IsNaN(string column) => new Predicate(PredicateOperation.IsNaN, column, []);
    public static Expression NotNaN(string column) => new Predicate(PredicateOperation.NotNaN, column, []);
    public static Expression LessThan(string column, IcebergValue literal) => new Predicate(PredicateOperation.LessThan, column, [literal]);
    public static Expression LessThanOrEqual(string column, IcebergValue literal)
        => new Predicate(PredicateOperation.LessThanOrEqual, column, [literal]);
    public static Expression GreaterThan(string column, IcebergValue literal)
        => new Predicate(PredicateOperation.GreaterThan, column, [literal]);
    public static Expression GreaterThanOrEqual(string column, IcebergValue literal)
        => new Predicate(PredicateOperation.GreaterThanOrEqual, column, [literal]);
    public static Expression Equal(string column, IcebergValue literal) => new Predicate(PredicateOperation.Equal, column, [literal]);
    public static Expression NotEqual(string column, IcebergValue literal) => new Predicate(PredicateOperation.NotEqual, column, [literal]);
    public static Expression In(string column, params IReadOnlyList<IcebergValue> literals)
        => new Predicate(PredicateOperation.In, column, literals);
    public static Expression NotIn(string column, params IReadOnlyList<IcebergValue> literals)
        => new Predicate(PredicateOperation.NotIn, column, literals);
    public static Expression StartsWith(string column, string prefix) => new Predicate(PredicateOperation.StartsWith, column, [prefix]);
    public static Expression NotStartsWith(string column, string prefix)
        => new Predicate(PredicateOperation.NotStartsWith, column, [prefix]);

    public static Expression operator &(Expression left, Expression right) => new And(left, right);

    public static Expression operator |(Expression left, Expression right) => new Or(left, right);

    public static Expression operator !(Expression operand) => new Not(operand);

    /// <summary>For languages without operators.</summary>
    public static Expression BitwiseAnd(Expression left, Expression right) => left & right;

    /// <summary>For languages without operators.</summary>
    public static Expression BitwiseOr(Expression left, Expression right) => left | right;

    /// <summary>For languages without operators.</summary>
    public static Expression LogicalNot(Expression operand) => !operand;
}
