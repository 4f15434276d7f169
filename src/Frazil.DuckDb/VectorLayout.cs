namespace Frazil.DuckDb;

/// <summary>How the values of a type lie in a vector.</summary>
internal static class VectorLayout
{
    /// <summary>Bytes of one value: 16 for string references and list entries; 0 for what is in the children alone, and for NULL.</summary>
    /// <exception cref="DuckDbException">Values of the type cannot be taken out of DuckDB; says to cast.</exception>
    public static int Width(DuckDbType type) => type.Id switch
    {
        DuckDbTypeId.Boolean or DuckDbTypeId.TinyInt or DuckDbTypeId.UTinyInt => 1,
        DuckDbTypeId.SmallInt or DuckDbTypeId.USmallInt => 2,
        DuckDbTypeId.Integer or DuckDbTypeId.UInteger or DuckDbTypeId.Float or DuckDbTypeId.Date => 4,
        DuckDbTypeId.BigInt or DuckDbTypeId.UBigInt or DuckDbTypeId.Double or DuckDbTypeId.Time or DuckDbTypeId.TimeNs or DuckDbTypeId.TimeTz
            or DuckDbTypeId.Timestamp or DuckDbTypeId.TimestampS or DuckDbTypeId.TimestampMs or DuckDbTypeId.TimestampNs or DuckDbTypeId.TimestampTz => 8,
        DuckDbTypeId.HugeInt or DuckDbTypeId.UHugeInt or DuckDbTypeId.Uuid or DuckDbTypeId.Interval or DuckDbTypeId.List or DuckDbTypeId.Map => 16,
        DuckDbTypeId.Decimal => type.Width switch
        {
            <= 4 => 2,
            <= 9 => 4,
            <= 18 => 8,
            _ => 16,
        },
        DuckDbTypeId.Enum => type.LabelStorage switch
        {
            DuckDbTypeId.UTinyInt => 1,
            DuckDbTypeId.USmallInt => 2,
            _ => 4,
        },
        DuckDbTypeId.Struct or DuckDbTypeId.Array or DuckDbTypeId.Union or DuckDbTypeId.SqlNull => 0,
        _ when IsBytes(type) => 16,
        _ => throw new DuckDbException($"A result column of type {type} cannot be read. Cast it in the query, for example to VARCHAR."),
    };

    /// <summary>Values are string references.</summary>
    public static bool IsBytes(DuckDbType type)
        => type.Id is DuckDbTypeId.Varchar or DuckDbTypeId.Blob or DuckDbTypeId.Bit or DuckDbTypeId.Geometry;
}
