using Frazil.Columnar;
using Frazil.Iceberg;

namespace Frazil.Hot;

/// <summary>Iceberg types as column types and back. Field ids are kept, so columns are matched by id everywhere.</summary>
public static class ColumnSchemas
{
    /// <summary>The columns of an Iceberg schema.</summary>
    /// <exception cref="ValidationException">A type has no column layout here (timestamp_ns, variant and the like).</exception>
    public static ColumnFields FromIceberg(IEnumerable<NestedField> fields) => new(fields.Select(ToColumn));

    /// <summary>A column type as an Iceberg type whose nested fields carry the same ids.</summary>
    public static IcebergType ToIceberg(ColumnType type) => type.Kind switch
    {
        ColumnKind.Boolean => IcebergType.Boolean,
        ColumnKind.Int32 => IcebergType.Int,
        ColumnKind.Int64 => IcebergType.Long,
        ColumnKind.Float32 => IcebergType.Float,
        ColumnKind.Float64 => IcebergType.Double,
        ColumnKind.Decimal128 => IcebergType.Decimal(type.Precision, type.Scale),
        ColumnKind.Date32 => IcebergType.Date,
        ColumnKind.Time64 => IcebergType.Time,
        ColumnKind.Timestamp => IcebergType.Timestamp,
        ColumnKind.TimestampTz => IcebergType.TimestampTz,
        ColumnKind.Utf8 => IcebergType.String,
        ColumnKind.Binary => IcebergType.Binary,
        ColumnKind.FixedBinary => IcebergType.Fixed(type.Width),
        ColumnKind.Uuid => IcebergType.Uuid,
        ColumnKind.Struct => IcebergType.Struct([.. type.Fields.Select(ToField)]),
        ColumnKind.List => IcebergType.List(type.Fields[0].FieldId, ToIceberg(type.Fields[0].Type), !type.Fields[0].Nullable),
        ColumnKind.Map => IcebergType.Map(
            type.Fields[0].FieldId, ToIceberg(type.Fields[0].Type), type.Fields[1].FieldId, ToIceberg(type.Fields[1].Type),
            !type.Fields[1].Nullable),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no such column kind"),
    };

    private static NestedField ToField(ColumnField field) => new(field.FieldId, field.Name, !field.Nullable, ToIceberg(field.Type));

    private static ColumnField ToColumn(NestedField field) => new(field.Name, ToColumnType(field), field.Id, !field.Required);

    private static ColumnType ToColumnType(NestedField field) => field.Type switch
    {
        StructType type => ColumnType.Struct([.. type.Fields.Select(ToColumn)]),
        ListType type => ColumnType.List(ToColumn(type.Element)),
        MapType type => ColumnType.Map(ToColumn(type.Key), ToColumn(type.Value)),
        PrimitiveType type => ToColumnType(field.Name, type),
        _ => throw NoLayout(field.Name, field.Type),
    };

    private static ColumnType ToColumnType(string name, PrimitiveType type) => type.Id switch
    {
        TypeId.Boolean => ColumnType.Boolean,
        TypeId.Int => ColumnType.Int32,
        TypeId.Long => ColumnType.Int64,
        TypeId.Float => ColumnType.Float32,
        TypeId.Double => ColumnType.Float64,
        TypeId.Decimal => ColumnType.Decimal128(type.Precision, type.Scale),
        TypeId.Date => ColumnType.Date32,
        TypeId.Time => ColumnType.Time64,
        TypeId.Timestamp => ColumnType.Timestamp,
        TypeId.TimestampTz => ColumnType.TimestampTz,
        TypeId.String => ColumnType.Utf8,
        TypeId.Binary => ColumnType.Binary,
        TypeId.Fixed => ColumnType.FixedBinary(type.Length),
        TypeId.Uuid => ColumnType.Uuid,
        _ => throw NoLayout(name, type),
    };

    private static ValidationException NoLayout(string name, IcebergType type) => new(
        $"column {name} has type {type}, which Frazil cannot hold yet; see docs/known-issues.md");
}
