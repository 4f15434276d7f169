namespace Frazil.Columnar.Statistics;

/// <summary>What is known of one leaf column of some rows.</summary>
/// <param name="FieldId">Iceberg field id.</param>
/// <param name="ValueCount">Values, nulls and NaNs included; for what is inside a list or map, the elements.</param>
/// <param name="NullCount">Nulls, those whose enclosing struct is null included.</param>
/// <param name="NanCount">NaNs; null for types that have none.</param>
/// <param name="Lower">The least value in Iceberg's binary single-value form, NaNs left out, uncut; null where there is none, and
/// for everything inside a list or map.</param>
/// <param name="Upper">The greatest value, likewise.</param>
public sealed record FieldStatistics(int FieldId, long ValueCount, long NullCount, long? NanCount, byte[]? Lower, byte[]? Upper);
