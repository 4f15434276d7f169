using Frazil.Iceberg;
using Frazil.Iceberg.Json;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class TypeAndSchemaTests
{
    [Theory]
    [InlineData("int", "int")]
    [InlineData("decimal(10,2)", "decimal(10, 2)")]
    [InlineData("decimal( 38 )", "decimal(38, 0)")]
    [InlineData("fixed[16]", "fixed[16]")]
    [InlineData("Fixed(4)", "fixed[4]")]
    [InlineData("timestamptz_ns", "timestamptz_ns")]
    [InlineData("geometry(srid:4326)", "geometry(srid:4326)")]
    [InlineData("list<string>", "list<string>")]
    [InlineData("map<string, list<int>>", "map<string, list<int>>")]
    public void Notations_are_read(string text, string expected) => Assert.Equal(expected, IcebergTypeParser.Parse(text).ToString());

    [Fact]
    public void Fields_of_a_struct_are_numbered_before_their_children()
    {
        var type = IcebergTypeParser.Parse("struct<a: struct<x: int, y: required int>, `b c`: list<struct<z: string not null>>, d: int>");
        Assert.Equal([1, 2, 3], type.Fields.Select(field => field.Id));
        Assert.Equal([4, 5], type.Fields[0].Type.Fields.Select(field => field.Id));
        Assert.True(type.Fields[0].Type.Fields[1].Required);
        Assert.Equal("b c", type.Fields[1].Name);
        Assert.Equal(6, type.Fields[1].Type.Fields[0].Id);
        Assert.True(type.Fields[1].Type.Fields[0].Type.Fields[0].Required);
    }

    [Theory]
    [InlineData("integer")]
    [InlineData("list<int")]
    [InlineData("struct<a int>")]
    [InlineData("struct<a: int, a: int>")]
    [InlineData("decimal(39, 2)")]
    [InlineData("decimal(5, 6)")]
    [InlineData("fixed[0]")]
    [InlineData("int int")]
    [InlineData("")]
    public void A_text_that_is_no_type_is_refused_with_the_text_in_the_message(string text)
    {
        var error = Assert.Throws<ValidationException>(() => IcebergTypeParser.Parse(text));
        Assert.NotEmpty(error.Message);
    }

    private static Schema Nested() => new(0,
    [
        new(1, "id", true, IcebergType.Int),
        new(2, "price", false, IcebergType.Decimal(9, 2)),
        new(
            3, "user", false,
            IcebergType.Struct(new NestedField(4, "name", false, IcebergType.String), new NestedField(5, "age", true, IcebergType.Float))),
        new(6, "items", false, IcebergType.List(7, IcebergType.Struct(new NestedField(8, "sku", false, IcebergType.String)))),
        new(
            9, "attrs", false,
            IcebergType.Map(10, IcebergType.String, 11, IcebergType.Struct(new NestedField(12, "v", false, IcebergType.Int)))),
    ], [1]);

    [Fact]
    public void Nested_fields_are_found_by_their_full_and_short_names()
    {
        var schema = Nested();
        Assert.Equal(8, schema.FindField("items.element.sku")!.Id);
        Assert.Equal(8, schema.FindField("items.sku")!.Id);
        Assert.Equal(12, schema.FindField("attrs.v")!.Id);
        Assert.Equal("attrs.value.v", schema.FindName(12));
        Assert.Null(schema.FindField("items.nope"));
        Assert.True(schema.IsRepeated(8));
        Assert.False(schema.IsRepeated(4));
    }

    [Fact]
    public void A_schema_survives_its_JSON()
    {
        var schema = Nested();
        Assert.Equal(schema, SchemaJson.Parse(SchemaJson.Write(schema)));
    }

    [Fact]
    public void Columns_are_added_at_the_top_in_structs_in_lists_and_in_maps()
    {
        var update = new SchemaUpdate(Nested(), 20);
        var changed = update.AddColumn("note", IcebergType.String).AddColumn("user", "email", IcebergType.String)
            .AddColumn("items", "tags", IcebergTypeParser.Parse("list<string>")).AddColumn("attrs", "w", IcebergType.Long).Apply();
        Assert.Equal(21, changed.FindField("note")!.Id);
        Assert.Equal(22, changed.FindField("user.email")!.Id);
        Assert.Equal(23, changed.FindField("items.tags")!.Id);
        Assert.Equal(24, changed.FindField("items.tags.element")!.Id);
        Assert.Equal(25, changed.FindField("attrs.value.w")!.Id);
        Assert.Equal(25, update.LastColumnId);
        Assert.False(changed.FindField("note")!.Required);
    }

    [Fact]
    public void Only_widening_changes_of_type_are_allowed()
    {
        var changed = new SchemaUpdate(Nested(), 12).UpdateType("id", IcebergType.Long).UpdateType("user.age", IcebergType.Double)
            .UpdateType("price", IcebergType.Decimal(20, 2)).UpdateType("attrs.v", IcebergType.Long).MakeOptional("user.age").Apply();
        Assert.Equal(IcebergType.Long, changed.FindField(1)!.Type);
        Assert.Equal(IcebergType.Double, changed.FindField(5)!.Type);
        Assert.False(changed.FindField(5)!.Required);
        Assert.Equal(IcebergType.Decimal(20, 2), changed.FindField(2)!.Type);

        Refused(update => update.UpdateType("id", IcebergType.String));
        Refused(update => update.UpdateType("id", IcebergType.Double));
        Refused(update => update.UpdateType("price", IcebergType.Decimal(20, 3)));
        Refused(update => update.UpdateType("price", IcebergType.Decimal(8, 2)));
        Refused(update => update.UpdateType("nope", IcebergType.Long));
        Refused(update => update.MakeOptional("id"));
        Refused(update => update.AddColumn("id", IcebergType.Long));
        Refused(update => update.AddColumn("price", "x", IcebergType.Long));
        Refused(update => update.DropColumn("id"));
        Refused(update => update.DropColumn("items.element"));
        Refused(update => update.Rename("id", "price"));

        static void Refused(Action<SchemaUpdate> change)
            => Assert.Throws<ValidationException>(() => change(new SchemaUpdate(Nested(), 12)));
    }

    [Fact]
    public void Renaming_and_dropping_keep_the_other_ids()
    {
        var changed = new SchemaUpdate(Nested(), 12).Rename("items.sku", "code").DropColumn("user.name").Apply();
        Assert.Equal(8, changed.FindField("items.code")!.Id);
        Assert.Null(changed.FindField("user.name"));
        Assert.Equal(5, changed.FindField("user.age")!.Id);
    }

    [Fact]
    public void Ids_and_names_must_be_unique()
    {
        Assert.Throws<ValidationException>(() => new Schema(0, [new(1, "a", false, IcebergType.Int), new(1, "b", false, IcebergType.Int)]));
        Assert.Throws<ValidationException>(() => new Schema(0, [new(1, "a", false, IcebergType.Int), new(2, "a", false, IcebergType.Int)]));
        Assert.Throws<ValidationException>(() => new Schema(0, [new(1, "a", false, IcebergType.Int)], [1]));
    }

    private static Schema Dotted() => new(0,
    [
        new(1, "x.y", false, IcebergType.Struct(new NestedField(2, "p", false, IcebergType.Int))),
        new(3, "x", false, IcebergType.Struct(new NestedField(4, "y", false, IcebergType.Struct(new NestedField(5, "q", false, IcebergType.Int))))),
    ]);

    [Fact]
    public void A_column_is_added_to_the_struct_with_the_id_and_not_to_another_of_the_same_dotted_name()
    {
        var changed = new SchemaUpdate(Dotted(), 5).AddColumn(4, "n", IcebergType.Long).Apply();
        Assert.Equal(["q", "n"], changed.FindField(4)!.Type.Fields.Select(static field => field.Name));
        Assert.Equal(["p"], changed.FindField(1)!.Type.Fields.Select(static field => field.Name));
        Assert.Throws<ValidationException>(() => new SchemaUpdate(Dotted(), 5).AddColumn(9, "n", IcebergType.Long));
        Assert.Throws<ValidationException>(() => new SchemaUpdate(Dotted(), 5).AddColumn(2, "n", IcebergType.Long));
    }

    [Fact]
    public void A_full_name_means_its_own_column_and_not_one_that_has_it_for_a_short_form()
    {
        var schema = new Schema(0,
        [
            new(1, "l", false, IcebergType.List(2, IcebergType.Struct(new NestedField(3, "x", false, IcebergType.Int)))),
            new(4, "l.x", false, IcebergType.Long),
        ]);
        Assert.Equal(4, schema.FindField("l.x")!.Id);
        Assert.Equal(3, schema.FindField("l.element.x")!.Id);
        Assert.Empty(schema.NameClashes);
    }

    [Theory]
    [InlineData("a.b: int, a: struct<b: int>", "a.b")]
    [InlineData("a: struct<b: int>, a.b: int", "a.b")]
    [InlineData("l: list<int>, l.element: int", "l.element")]
    [InlineData("m: map<string, int>, m.key: int", "m.key")]
    [InlineData("s: struct<a.b: int, a: struct<b: struct<c: int>>>", "s.a.b")]
    [InlineData("l: list<struct<x: int>>, l.x: int, a.b: int, a: int", "")]
    public void A_schema_that_other_engines_refuse_is_read_but_never_made(string fields, string clashes)
    {
        var id = 0;
        var quoted = System.Text.RegularExpressions.Regex.Replace(fields, @"[a-z.]+(?=:)", "`$0`");
        var schema = new Schema(0, ((StructType)IcebergTypeParser.Parse($"struct<{quoted}>", () => ++id)).Fields);
        Assert.Equal(clashes, string.Join(',', schema.NameClashes));
        var other = TableMetadataBuilder.Create(
            new Schema(0, [new(1, "first", false, IcebergType.Int)]), PartitionSpec.Unpartitioned, SortOrder.Unsorted, "/t", new Dictionary<string, string>(), TimeProvider.System);
        Action[] makings =
        [
            () => TableMetadataBuilder.Create(schema, PartitionSpec.Unpartitioned, SortOrder.Unsorted, "/t", new Dictionary<string, string>(), TimeProvider.System),
            () => TableMetadataBuilder.From(other, TimeProvider.System).Apply([new TableUpdate.AddSchema(schema, 100)]),
            () => _ = schema.Fields.Aggregate(new SchemaUpdate(Schema.Empty, 0), static (update, field) => update.AddColumn(field.Name, field.Type)),
        ];
        foreach (var make in makings)
        {
            Assert.Equal(clashes.Length > 0, Record.Exception(make) is ValidationException);
        }
    }

    [Fact]
    public void A_rename_or_a_new_column_never_takes_the_name_of_a_partition_field_or_of_a_dotted_path()
    {
        var schema = new Schema(0, [new(1, "ts", false, IcebergType.TimestampTz), new(2, "s", false, IcebergType.Struct(new NestedField(3, "a", false, IcebergType.Int)))]);
        var table = TableMetadataBuilder.Create(
            schema, PartitionSpecParser.Parse(["day(ts)"], schema), SortOrder.Unsorted, "/t", new Dictionary<string, string>(), TimeProvider.System);
        Assert.Throws<ValidationException>(() => new SchemaUpdate(table).AddColumn("s.a", IcebergType.Int));
        Assert.Throws<ValidationException>(() => new SchemaUpdate(table).AddColumn("x", IcebergType.Int).Rename("x", "s.a"));
        var clash = new SchemaUpdate(table).AddColumn("ts_day", IcebergType.Int).ToUpdates();
        Assert.Contains("ts_day", Assert.Throws<ValidationException>(() => TableMetadataBuilder.From(table, TimeProvider.System).Apply(clash)).Message, StringComparison.Ordinal);
        Assert.Equal([("ts_day", "ts"), ("id_bucket", "id"), ("id_bucket_8", "id"), ("c", "c"), ("way", "d")],
            PartitionSpecParser.FieldNames(["day(ts)", "bucket(4, id)", "bucket(8, id)", "c", "nonsense(", "month(d) as way"]));
    }
}
