using System.Text.Json;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Json;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain;
using Frazil.Telemetry;
using Frazil.Tests.Iceberg;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Maintain.Compaction;

/// <summary>Tables that Spark and Java wrote, with every kind of delete, compacted and read again by PyIceberg and DuckDB.</summary>
public sealed class GoldenCompactionTests : IDisposable
{
    /// <summary>Files that nobody here reads stay, and PyIceberg cannot read some of them either; of the last two it reads null lists as empty
    /// ones.</summary>
    private static readonly string[] NotRead = ["format_avro", "format_orc", "schema_add_nested", "types_nested_deep"];

    private readonly ScratchFolder folder = new();
    private readonly LocalFileIO files = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Compacted_tables_hold_the_same_rows_without_any_deletes_and_older_snapshots_theirs()
    {
        var (tables, packed, deleted, left) = (new List<string[]>(), 0, 0L, new Dictionary<string, IReadOnlyList<string>>());
        await using var catalog = await SqlCatalog.OpenAsync($"sqlite:{folder.Path}/catalog.db", $"{folder.Path}/warehouse", files);
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("db"));
        await GoldenTable.ForAllAsync(async table =>
        {
            var metadata = table.LoadMetadata();
            if (metadata.FormatVersion != 2)
            {
                return;
            }
            var state = await RegisterAsync(catalog, table.Name, metadata);
            var (counts, again) = (await CompactAsync(catalog, state), await CompactAsync(catalog, state));
            Assert.Equal((0, 0), (again.FilesIn, again.Commits));
            packed += counts.FilesIn;
            deleted += counts.RowsDeleted;
            left[table.Name] = counts.Left;
            var after = await catalog.LoadTableAsync(state.Identifier);
            await CheckAsync(after, table, counts);
            tables.Add([after.MetadataLocation, Path.Combine(Path.GetDirectoryName(table.MetadataPath)!, "..", "expected.json"), table.Name]);
        });

        Assert.True(packed > 40, $"only {packed} files were compacted");
        Assert.True(deleted > 20, $"only {deleted} rows were deleted");
        Assert.Contains("no field ids", Assert.Single(left["name_mapping_imported"]), StringComparison.Ordinal);
        Assert.All(left["name_mapping_hive_partition"], static why => Assert.Contains("no field ids", why, StringComparison.Ordinal));
        Assert.Equal(7, left["format_orc"].Count);
        Assert.Empty(left.Where(static one => one.Value.Count > 0 && !one.Key.StartsWith("name_mapping", StringComparison.Ordinal) && !one.Key.StartsWith("format_", StringComparison.Ordinal)));
        var read = tables.FindAll(static table => !NotRead.Contains(table[2]));
        var seen = await IcebergKit.RunPythonAsync(Referee, JsonSerializer.Serialize(read));
        Assert.Equal($"{read.Count} tables agree", seen.Trim());
    }

    private async Task<TableState> RegisterAsync(SqlCatalog catalog, string name, TableMetadata metadata)
    {
        // The golden files are read where they are; everything new lies here.
        var here = metadata with
        {
            Location = files.LocationFor(Path.Combine(folder.Path, "tables", name)),
            Properties = metadata.Properties.Where(static pair => pair.Key is not ("write.data.path" or "write.metadata.path" or "write.object-storage.path"))
                .ToDictionary(static pair => pair.Key, static pair => pair.Value),
        };
        var location = here.MetadataLocationFor("00000-golden.metadata.json");
        await files.CreateAsync(location, TableMetadataJson.Write(here));
        var identifier = TableIdentifier.Parse($"db.{name}");
        await catalog.RegisterTableAsync(identifier, location);
        return new(catalog, identifier);
    }

    private static async Task<CompactionCounts> CompactAsync(ICatalog catalog, TableState state)
    {
        var table = new MaintainedTable
        {
            Catalog = catalog,
            State = state,
            Committer = new(state, new TableMetrics(), NullLogger.Instance, null, OnRollback.GoOn),
            Options = new(),
            Time = TimeProvider.System,
            Logger = NullLogger.Instance,
        };
        return (await TableMaintenance.RunAsync(table, MaintenanceJob.Compact, isDryRun: false, CancellationToken.None)).Compaction!;
    }

    /// <summary>Files of each partition and spec are one, none has deletes, and older snapshots plan as before.</summary>
    private async Task CheckAsync(LoadedTable after, GoldenTable table, CompactionCounts counts)
    {
        var cache = new ManifestCache(files);
        var plan = await new TableScan(after.Metadata, cache).PlanAsync();
        if (counts.Left.Count == 0)
        {
            Assert.All(plan.Files, static file => Assert.Empty(file.Deletes));
            Assert.Equal(table.Expected.GetProperty("row_count").GetInt64(), plan.Files.Sum(static file => file.File.RecordCount));
        }
        var before = table.LoadMetadata();
        foreach (var snapshot in before.Snapshots)
        {
            var (then, now) = (await new TableScan(before, cache).UseSnapshot(snapshot.SnapshotId).PlanAsync(),
                await new TableScan(after.Metadata, cache).UseSnapshot(snapshot.SnapshotId).PlanAsync());
            Assert.Equal(then.Files.Select(static file => file.File.Path), now.Files.Select(static file => file.File.Path));
        }
    }

    private const string Referee = """
        import base64, importlib, json, math, pathlib, struct, sys, uuid
        import duckdb
        from pyiceberg.table import StaticTable
        from pyiceberg.types import *

        def number(value):
            return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity") if math.isinf(value) else value

        def canonical(kind, value):
            if value is None: return None
            if isinstance(kind, StructType): return {f.name: canonical(f.field_type, value.get(f.name)) for f in kind.fields}
            if isinstance(kind, ListType): return [canonical(kind.element_type, one) for one in value]
            if isinstance(kind, MapType):
                pairs = [[canonical(kind.key_type, k), canonical(kind.value_type, v)] for k, v in (value.items() if isinstance(value, dict) else value)]
                return sorted(pairs, key=lambda pair: text(pair[0]))
            if isinstance(kind, FloatType): return number(float(str(__import__("numpy").float32(value))))
            if isinstance(kind, DoubleType): return number(value)
            if isinstance(kind, DecimalType): return format(value, "f")
            if isinstance(kind, TimeType): return value.isoformat(timespec="microseconds")
            if isinstance(kind, (TimestampType, TimestamptzType)):
                return value.isoformat(timespec="microseconds")
            if isinstance(kind, DateType): return value.isoformat()
            if isinstance(kind, UUIDType): return str(uuid.UUID(bytes=value) if isinstance(value, bytes) else value)
            if isinstance(kind, (BinaryType, FixedType)): return value.hex()
            return value

        def text(value):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

        connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
        for name in ("avro", "iceberg"):
            package = pathlib.Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
            extension, = package.glob(f"extensions/v{duckdb.__version__}/{name}.duckdb_extension")
            connection.execute(f"LOAD '{extension}'")

        tables = json.loads(sys.argv[1])
        for location, expected, name in tables:
            wanted = json.load(open(expected))
            table = StaticTable.from_metadata(location)
            rows = [text(canonical(table.schema().as_struct(), row)) for row in table.scan().to_arrow().to_pylist()]
            assert len(rows) == wanted["row_count"], f"{name}: {len(rows)} rows for {wanted['row_count']}"
            if "rows" in wanted:
                known = sorted(text(row) for row in wanted["rows"])
                for got, meant in zip(sorted(rows), known):
                    assert got == meant, f"{name}: {got} for {meant}"
            if wanted["row_count"] > 0 and not name.startswith(("name_mapping", "path_no_scheme", "format_upgrade")):
                found, = connection.execute(f"SELECT count(*) FROM iceberg_scan('{location.removeprefix('file://')}')").fetchone()
                assert found == wanted["row_count"], f"{name}: DuckDB counts {found} for {wanted['row_count']}"
        print(f"{len(tables)} tables agree")
        """;
}
