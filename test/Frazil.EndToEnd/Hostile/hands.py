"""What other hands do to a table. Each hand takes the loaded table, its draws and what is known of the scene, commits, and says what it did.

Names with a dash are edits of the metadata file itself, for what PyIceberg has no call for or would refuse.
"""
import datetime
import gzip
import json
import os
import random
import sqlite3
import time
import uuid

import pyarrow as pa
from pyiceberg import types
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import AlwaysTrue, And, EqualTo, GreaterThanOrEqual, LessThan
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.transforms import BucketTransform, DayTransform, HourTransform, IdentityTransform, MonthTransform, TruncateTransform, VoidTransform, YearTransform

import recount

KEPT = {"kafka_partition", "kafka_offset", "seq"}  # what the referee counts by
PLAIN = ["name", "amount", "price", "at", "flag"]  # declared, and in every plain record

PROPERTIES = [(key, value) for key, values in {
    "write.metadata.delete-after-commit.enabled": ["yes", "1", "TRUE", "", "on", "true"],
    "write.metadata.previous-versions-max": ["0", "-1", "1", "many", "99999999999999999999", "1.5", ""],
    "write.parquet.compression-codec": ["brotli", "lz4", "none", "", "ZSTD", "snappy", "gzip", "uncompressed", "lzo"],
    "write.parquet.compression-level": ["99", "-7", "high", ""],
    "write.target-file-size-bytes": ["0", "-1", "1", "big", "9223372036854775808", ""],
    "write.parquet.row-group-size-bytes": ["1", "0", "x"],
    "write.parquet.page-size-bytes": ["0", "x"],
    "write.format.default": ["orc", "avro", "PARQUET", "", "csv"],
    "write.metadata.compression-codec": ["gzip", "zstd", "GZIP", "none", ""],
    "write.metadata.metrics.default": ["truncate(0)", "truncate(-1)", "counts", "none", "full", "everything", "", "truncate(99999999999)"],
    "write.metadata.metrics.column.name": ["none", "counts", "truncate(2)", "nonsense"],
    "write.metadata.metrics.column.gone_long_ago": ["none", "full"],
    "write.metadata.metrics.column.odd.a": ["none"],
    "write.metadata.metrics.column.kafka_offset": ["none"],
    "write.metadata.metrics.column.": ["none"],
    "write.metadata.metrics.max-inferred-column-defaults": ["0", "-5", "x", "1"],
    "write.parquet.bloom-filter-enabled.column.name": ["true", "maybe"],
    "commit.retry.num-retries": ["0", "-1", "x"],
    "commit.retry.total-timeout-ms": ["0", "-1", "1", "soon", "9999999999999999999999"],
    "commit.retry.min-wait-ms": ["-1", "x"],
    "commit.manifest.target-size-bytes": ["0", "1", "x"],
    "commit.manifest.min-count-to-merge": ["0", "1", "2", "x", "-1"],
    "commit.manifest-merge.enabled": ["no", "false", "0"],
    "write.object-storage.enabled": ["yes", "true", "1"],
    "write.object-storage.partitioned-paths": ["false", "no"],
    "write.distribution-mode": ["hash", "???"],
    "write.summary.partition-limit": ["x", "-1", "5"],
    "history.expire.max-snapshot-age-ms": ["0", "-1", "x", "1"],
    "history.expire.min-snapshots-to-keep": ["0", "-1", "x"],
    "gc.enabled": ["false", "no", "x"],
    "format-version": ["1", "x", "3"],
    "schema.name-mapping.default": ["[]", "[{\"field-id\": 1, \"names\": [\"x\"]}]"],
    "": ["", "x"],
    "frazil.note": ["", "\u0000"],
    "frazil.unknown": ["{", "\u2603"],
    "owner": ["", "o" * 100_000],
    "write.update.isolation-level": ["snapshot", "x"],
}.items() for value in values]

TYPES = [
    types.StringType(), types.IntegerType(), types.LongType(), types.FloatType(), types.DoubleType(), types.BooleanType(), types.DateType(),
    types.TimeType(), types.TimestampType(), types.TimestamptzType(), types.UUIDType(), types.BinaryType(), types.FixedType(7), types.DecimalType(9, 2),
    types.ListType(1, types.StringType(), element_required=False), types.MapType(1, types.StringType(), 2, types.LongType(), value_required=False),
    types.StructType(types.NestedField(1, "a", types.LongType(), required=False), types.NestedField(2, "b", types.StringType(), required=False)),
    types.ListType(1, types.StructType(types.NestedField(2, "k", types.LongType(), required=False)), element_required=False),
]

NAMES = ["extra", "extra2", "odd", "tags", "s", "late", "a.b", "a b", 'q"uote', "it's", "select", "element", "key", "value", "kafka_key", "kafka_headers", "kafka_value",
         "_file", "_pos", "__duckdb_field_id", "name_bucket", "at_day", "ÄÖ", "\u2603", "long_" + "n" * 300, "file_row_number", "filename", "rowid"]


def columns(table, at_least=()):
    return [field for field in table.schema().fields if field.name not in KEPT and (not at_least or isinstance(field.field_type, at_least))]


def structs(table):
    return [field for field in columns(table) if isinstance(field.field_type, types.StructType) and field.field_type.fields]


def nothing(why):
    return {"did": f"nothing: {why}"}


# --- properties ----------------------------------------------------------------------------------------------------------

def set_property(table, draw, held):
    chosen = dict(draw.sample(PROPERTIES, draw.randint(1, 3)))
    with table.transaction() as transaction:
        transaction.set_properties(chosen)
    return {"did": f"set {({key: value[:40] for key, value in chosen.items()})}"}


def drop_properties(table, draw, held):
    keys = [key for key in table.properties if not key.startswith("frazil.")]
    if not keys:
        return nothing("no property of others")
    chosen = draw.sample(keys, draw.randint(1, len(keys)))
    with table.transaction() as transaction:
        transaction.remove_properties(*chosen)
    return {"did": f"removed the properties {chosen}"[:300]}


def drop_progress(table, draw, held):
    keys = [key for key in table.properties if key.startswith("frazil.offsets.")]
    with table.transaction() as transaction:
        transaction.remove_properties(*keys)
    return {"did": f"removed {keys}"}


def drop_marks(table, draw, held):
    """What we note beside the progress, gone or garbled: the progress itself stays."""
    keys = [key for key in table.properties if key.startswith(("frazil.snapshot.", "frazil.topic-id.", "frazil.kafka-columns"))]
    if not keys:
        return nothing("no mark")
    chosen = draw.sample(keys, draw.randint(1, len(keys)))
    garbled = {key: draw.choice(["", "{", "[]", '{"snapshot-id": "x"}', "null"]) for key in chosen if key.startswith("frazil.snapshot.") and draw.random() < 0.5}
    with table.transaction() as transaction:
        transaction.remove_properties(*chosen)
        if garbled:
            transaction.set_properties(garbled)
    return {"did": f"removed {chosen}, set {garbled}"[:300]}


# --- schema --------------------------------------------------------------------------------------------------------------

def add_column(table, draw, held):
    name, kind = draw.choice(NAMES), draw.choice(TYPES)
    parents = [("",)] + [(field.name,) for field in structs(table)]
    parent = draw.choice(parents)
    path = (name,) if parent == ("",) else (*parent, name)
    with table.update_schema() as update:
        update.add_column(path, kind)
    return {"did": f"added {path}: {kind}", "schema": True}


def drop_column(table, draw, held):
    fields = columns(table)
    if not fields:
        return nothing("no column to drop")
    field = draw.choice(fields)
    path = (field.name,)
    if isinstance(field.field_type, types.StructType) and len(field.field_type.fields) > 1 and draw.random() < 0.5:
        path = (field.name, draw.choice(field.field_type.fields).name)
    with table.update_schema() as update:
        update.delete_column(path)
    return {"did": f"dropped {path}", "schema": True}


def rename_column(table, draw, held):
    fields = columns(table)
    if not fields:
        return nothing("no column to rename")
    field, name = draw.choice(fields), draw.choice([*NAMES, *PLAIN, "renamed", "renamed2"])
    path = (field.name,)
    if isinstance(field.field_type, types.StructType) and field.field_type.fields and draw.random() < 0.5:
        path = (field.name, draw.choice(field.field_type.fields).name)
    with table.update_schema() as update:
        update.rename_column(path, name)
    return {"did": f"renamed {path} to {name}", "schema": True}


def change_struct(table, draw, held):
    """All fields of a struct replaced by others, which must leave it present; or one of them renamed, or a field added."""
    found = structs(table)
    if not found:
        return nothing("no struct")
    field = draw.choice(found)
    names, roll = [one.name for one in field.field_type.fields], draw.random()
    with table.update_schema() as update:
        if roll < 0.4:
            update.add_column((field.name, f"new{draw.randint(0, 9)}"), draw.choice(TYPES[:6]))
        elif roll < 0.6:
            update.rename_column((field.name, draw.choice(names)), f"was{draw.randint(0, 9)}")
        else:
            for name in names:
                update.delete_column((field.name, name))
            update.add_column((field.name, f"instead{draw.randint(0, 9)}"), types.LongType())
    return {"did": f"changed the struct {field.name} of {names}", "schema": True}


def move_column(table, draw, held):
    names = [field.name for field in table.schema().fields]
    one, other = draw.sample(names, 2)
    with table.update_schema() as update:
        if draw.random() < 0.4:
            update.move_first((one,))
        else:
            update.move_after((one,), (other,)) if draw.random() < 0.5 else update.move_before((one,), (other,))
    return {"did": f"moved {one}"}


def promote_column(table, draw, held):
    wider = {types.IntegerType: types.LongType(), types.FloatType: types.DoubleType()}
    fields = [field for field in columns(table, (types.IntegerType, types.FloatType, types.DecimalType))]
    if not fields:
        return nothing("no column to promote")
    field = draw.choice(fields)
    kind = field.field_type
    to = types.DecimalType(min(38, kind.precision + 4), kind.scale) if isinstance(kind, types.DecimalType) else wider[type(kind)]
    with table.update_schema() as update:
        update.update_column((field.name,), to)
    return {"did": f"promoted {field.name} from {kind} to {to}", "schema": True}


def document_column(table, draw, held):
    field = draw.choice(table.schema().fields)
    with table.update_schema() as update:
        update.update_column((field.name,), doc=draw.choice(["", "a doc \u2603", "d" * 10_000]))
    return {"did": f"documented {field.name}"}


def require_nothing(table, draw, held):
    required = [field for field in table.schema().fields if field.required]
    if not required:
        return nothing("no required column")
    field = draw.choice(required)
    with table.update_schema() as update:
        update.make_column_optional((field.name,))
    return {"did": f"made {field.name} optional"}


# --- specs and orders ----------------------------------------------------------------------------------------------------

def change_spec(table, draw, held):
    present = table.spec().fields
    if present and draw.random() < 0.4:
        field = draw.choice(present)
        with table.update_spec() as update:
            if draw.random() < 0.5:
                update.remove_field(field.name)
                return {"did": f"removed the partition field {field.name}"}
            update.rename_field(field.name, f"{field.name}_{draw.randint(0, 99)}")
            return {"did": f"renamed the partition field {field.name}"}
    fields = [field for field in table.schema().fields if field.field_type.is_primitive]
    field = draw.choice(fields)
    times = [DayTransform(), HourTransform(), MonthTransform(), YearTransform(), IdentityTransform()]
    texts = [BucketTransform(4), TruncateTransform(3), IdentityTransform(), VoidTransform()]
    chosen = draw.choice(times if isinstance(field.field_type, (types.TimestampType, types.TimestamptzType, types.DateType)) else
                         [IdentityTransform()] if isinstance(field.field_type, (types.BooleanType, types.FloatType, types.DoubleType)) else texts)
    with table.update_spec() as update:
        update.add_field(field.name, chosen, f"p_{draw.randint(0, 9)}")
    return {"did": f"partitioned by {chosen}({field.name}) besides"}


def change_order(table, draw, held):
    fields = [field for field in table.schema().fields if field.field_type.is_primitive]
    chosen = draw.sample(fields, min(len(fields), draw.randint(1, 3)))
    with table.update_sort_order() as update:
        for field in chosen:
            (update.asc if draw.random() < 0.5 else update.desc)(field.name, IdentityTransform())
    return {"did": f"sorted by {[field.name for field in chosen]}"}


# --- snapshots -----------------------------------------------------------------------------------------------------------

def tag(table, draw, held):
    snapshot = draw.choice(table.metadata.snapshots)
    name = draw.choice(["eod", "audit", "ünï", "a/b", "t" * 200]) + str(draw.randint(0, 999))
    manage = table.manage_snapshots()
    (manage.create_tag if draw.random() < 0.6 else manage.create_branch)(snapshot.snapshot_id, name).commit()
    return {"did": f"a ref {name[:20]} at {snapshot.snapshot_id}"}


def expire(table, draw, held):
    table.maintenance.expire_snapshots().older_than(datetime.datetime.now() + datetime.timedelta(days=30)).commit()
    return {"did": "expired all that may be"}


def roll_back(table, draw, held):
    ancestors, at = [], table.current_snapshot()
    while at is not None and at.parent_snapshot_id is not None:
        at = table.snapshot_by_id(at.parent_snapshot_id)
        if at is not None:
            ancestors.append(at)
    if not ancestors:
        return nothing("no older snapshot")
    chosen = draw.choice(ancestors)
    table.manage_snapshots().rollback_to_snapshot(chosen.snapshot_id).commit()
    return {"did": f"rolled back from {table.metadata.current_snapshot_id} to {chosen.snapshot_id}", "unsettled": True}


def fall_back(table, draw, held):
    """Rolled back, and everything older or beside it expired at once."""
    answer = roll_back(table, draw, held)
    if not answer["did"].startswith("nothing"):
        table.refresh().maintenance.expire_snapshots().older_than(datetime.datetime.now() + datetime.timedelta(days=30)).commit()
        answer["did"] += ", and expired the others"
    return answer


def fast_forward(table, draw, held):
    """A branch gets rows of others, then main becomes what the branch is, as long as nobody has moved main."""
    name = f"work{uuid.uuid4().hex[:6]}"
    start = table.metadata.current_snapshot_id
    table.manage_snapshots().create_branch(start, name).commit()
    table = table.refresh()
    table.append(blank_rows(table, 2), branch=name)
    def edit(metadata):
        if metadata["current-snapshot-id"] != start:
            return nothing("main has moved on")
        metadata["current-snapshot-id"] = metadata["refs"][name]["snapshot-id"]
        metadata["refs"]["main"] = {"snapshot-id": metadata["current-snapshot-id"], "type": "branch"}
        metadata["snapshot-log"].append({"snapshot-id": metadata["current-snapshot-id"], "timestamp-ms": metadata["last-updated-ms"]})
        return {"did": f"main fast-forwarded to {name}", "appended": 2}
    return raw(table.refresh(), edit)


# --- rows of others ------------------------------------------------------------------------------------------------------

def blank_rows(table, count):
    schema = table.schema().as_arrow()
    return pa.Table.from_pylist([{name: None for name in schema.names} for _ in range(count)], schema=schema)


def append(table, draw, held):
    count = draw.randint(1, 4)
    table.append(blank_rows(table, count))
    return {"did": f"appended {count} rows of its own", "appended": count}


def range_of(table, draw, held):
    records = sorted(held.records)
    if not records:
        return None
    partition = draw.choice(records)[0]
    offsets = [offset for one, offset in records if one == partition]
    first = draw.choice(offsets)
    return partition, first, first + draw.randint(1, 6)


def splits_zeros(table):
    """Partitioned by a float as it is: PyIceberg 0.12 writes each row with 0.0 or -0.0 into both partitions."""
    floats = {field.field_id for field in table.schema().fields if isinstance(field.field_type, (types.FloatType, types.DoubleType))}
    return any(field.source_id in floats and isinstance(field.transform, IdentityTransform) for field in table.spec().fields)


def delete(table, draw, held):
    if splits_zeros(table):
        return nothing("PyIceberg would double rows with zeros")
    chosen = range_of(table, draw, held)
    if chosen is None:
        return nothing("no records")
    partition, first, end = chosen
    where = And(EqualTo("kafka_partition", partition), And(GreaterThanOrEqual("kafka_offset", first), LessThan("kafka_offset", end)))
    offsets = table.scan(row_filter=where, selected_fields=("kafka_partition", "kafka_offset")).to_arrow()["kafka_offset"].to_pylist()
    if not offsets:
        return nothing("no rows there")
    table.delete(where)
    held.deleted |= {(partition, offset) for offset in offsets}
    return {"did": f"deleted {partition}@{offsets}"}


def overwrite(table, draw, held):
    """The same rows in other files."""
    if splits_zeros(table):
        return nothing("PyIceberg would double rows with zeros")
    chosen = range_of(table, draw, held)
    if chosen is None:
        return nothing("no records")
    older = And(EqualTo("kafka_partition", chosen[0]), LessThan("kafka_offset", chosen[2]))
    rows = table.scan(row_filter=older).to_arrow()
    if len(rows) == 0:
        return nothing("no rows there")
    table.overwrite(rows, overwrite_filter=older)
    return {"did": f"rewrote {chosen[0]}@..{chosen[2]}"}


def copy_rows(table, draw, held):
    if splits_zeros(table):
        return nothing("PyIceberg would double rows with zeros")
    chosen = range_of(table, draw, held)
    if chosen is None:
        return nothing("no records")
    partition, first, _ = chosen
    rows = table.scan(row_filter=And(EqualTo("kafka_partition", partition), EqualTo("kafka_offset", first))).to_arrow()
    if len(rows) == 0:
        return nothing("no rows there")
    table.append(rows)
    held.copied.add((partition, first))
    return {"did": f"appended a copy of {partition}@{first}"}


# --- metadata as none should leave it ------------------------------------------------------------------------------------

def raw(table, edit):
    """A new metadata file and a swap of the catalog's pointer, as a foreign engine makes it."""
    path = table.metadata_location.removeprefix("file://")
    content = open(path, "rb").read()
    metadata = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    answer = edit(metadata)
    if answer["did"].startswith("nothing"):
        return answer
    version = int(os.path.basename(path).split("-")[0]) + 1
    new = f"{os.path.dirname(path)}/{version:05}-{uuid.uuid4()}.metadata.json"
    with open(new, "x") as file:
        json.dump(metadata, file)
    location = table.metadata_location[:len(table.metadata_location) - len(path)] + new
    database = str(table.catalog.engine.url.database)
    with sqlite3.connect(database, timeout=30) as connection:
        swapped = connection.execute(
            "UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ? WHERE metadata_location = ?",
            (location, table.metadata_location, table.metadata_location)).rowcount
    connection.close()
    if swapped != 1:
        os.remove(new)
        raise CommitFailedException("somebody was quicker")
    return answer


def future(metadata):
    metadata["last-updated-ms"] += 10 * 365 * 86_400_000
    return {"did": "last updated in ten years"}


def unknown_keys(metadata):
    for at in [metadata, *metadata["snapshots"], *metadata["schemas"], *metadata["partition-specs"]]:
        at["x-other-engine"] = {"nested": [1, None, "x"]}
    return {"did": "keys that nobody knows"}


def no_logs(metadata):
    metadata["snapshot-log"] = metadata["metadata-log"] = []
    return {"did": "no history"}


def no_refs(metadata):
    metadata.pop("refs", None)
    return {"did": "no refs"}


def one_schema(metadata):
    metadata["schemas"] = [one for one in metadata["schemas"] if one["schema-id"] == metadata["current-schema-id"]]
    return {"did": "only the current schema"}


def ids_ahead(metadata):
    metadata["last-column-id"] += 1000
    metadata["last-partition-id"] += 1000
    metadata["last-sequence-number"] += 1000
    return {"did": "ids a thousand ahead"}


def bare_summaries(metadata):
    for snapshot in metadata["snapshots"]:
        snapshot["summary"] = {"operation": snapshot.get("summary", {}).get("operation", "append")}
    return {"did": "summaries without any number"}


def twin_schema(metadata):
    """The same schema under another id, as some engines leave it after a change and its reverse."""
    current, = [one for one in metadata["schemas"] if one["schema-id"] == metadata["current-schema-id"]]
    new = max(one["schema-id"] for one in metadata["schemas"]) + 3
    metadata["schemas"].append(current | {"schema-id": new})
    metadata["current-schema-id"] = new
    return {"did": f"the same schema again as {new}"}


def strange_order(metadata):
    metadata["sort-orders"].append({"order-id": 7, "fields": [
        {"transform": "truncate[2]", "source-id": 1, "direction": "asc", "null-order": "nulls-last"},
        {"transform": "identity", "source-id": 99_999, "direction": "desc", "null-order": "nulls-first"}]})
    metadata["default-sort-order-id"] = 7
    return {"did": "an order by a column that is not there"}


def strange_spec(metadata):
    metadata["partition-specs"].append({"spec-id": 77, "fields": [{"name": "strange", "transform": "identity", "source-id": 99_999, "field-id": metadata["last-partition-id"] + 1}]})
    metadata["last-partition-id"] += 1
    return {"did": "a partition spec, not the default, by a column that is not there"}


def many_properties(metadata):
    metadata["properties"] |= {f"note.{n}": "v" * 50 for n in range(2000)}
    return {"did": "two thousand properties"}


def required(metadata):
    current, = [one for one in metadata["schemas"] if one["schema-id"] == metadata["current-schema-id"]]
    new = max(one["schema-id"] for one in metadata["schemas"]) + 1
    fields = [field | {"required": True} if field["name"] in ("name", "price") else field for field in current["fields"]]
    metadata["schemas"].append(current | {"schema-id": new, "fields": fields})
    metadata["current-schema-id"] = new
    return {"did": "name and price required", "schema": True}


def old_schema(metadata):
    """The current schema put back to an older one, as Java's SetCurrentSchema can, as long as the partitioning has its columns and no
    type becomes narrower: files with the wider one are there, and no engine reads those."""
    specs = {spec["spec-id"]: spec for spec in metadata["partition-specs"]}
    sources = {field["source-id"] for field in specs[metadata["default-spec-id"]]["fields"]}
    current, = [one for one in metadata["schemas"] if one["schema-id"] == metadata["current-schema-id"]]
    kinds = leaf_types(current)
    older = [one for one in metadata["schemas"]
             if one["schema-id"] < metadata["current-schema-id"] and sources <= {field["id"] for field in one["fields"]}
             and all(kinds.get(id, kind) == kind for id, kind in leaf_types(one).items())]
    if not older:
        return nothing("no older schema")
    metadata["current-schema-id"] = older[len(older) // 2]["schema-id"]
    return {"did": f"the schema is {metadata['current-schema-id']} again", "schema": True}


def leaf_types(kind):
    """The types below a struct, a list or a map, by field id."""
    if kind["type"] == "struct":
        parts = [(field["id"], field["type"]) for field in kind["fields"]]
    else:
        parts = [(kind[f"{part}-id"], kind[part]) for part in ("element", "key", "value") if part in kind]
    found = {}
    for id, part in parts:
        found |= {id: part} if isinstance(part, str) else leaf_types(part)
    return found


def old_spec(metadata):
    fields = {field["id"] for one in metadata["schemas"] if one["schema-id"] == metadata["current-schema-id"] for field in one["fields"]}
    others = [spec for spec in metadata["partition-specs"]
              if spec["spec-id"] != metadata["default-spec-id"] and {field["source-id"] for field in spec["fields"]} <= fields]
    if not others:
        return nothing("no other spec")
    metadata["default-spec-id"] = others[0]["spec-id"]
    return {"did": f"the spec is {metadata['default-spec-id']} again"}


def shuffled(metadata):
    for key in ("snapshots", "schemas", "partition-specs", "sort-orders"):
        metadata[key] = metadata[key][1::2] + metadata[key][0::2][::-1]
    return {"did": "lists in another order"}


def replaced_bare(metadata):
    """The same without any snapshot left to tell."""
    answer = replaced(metadata)
    metadata["refs"], metadata["snapshots"], metadata["snapshot-log"] = {}, [], []
    return answer | {"did": "replaced in place, and nothing left of before"}


def version_3(metadata):
    metadata["format-version"] = 3
    metadata["next-row-id"] = 0
    return {"did": "format version 3", "unsettled": True}


def statistics(metadata):
    if metadata.get("current-snapshot-id") in (None, -1):
        return nothing("no snapshot")
    metadata["statistics"] = [{"snapshot-id": metadata["current-snapshot-id"], "statistics-path": metadata["location"] + "/metadata/gone.puffin",
                               "file-size-in-bytes": 10, "file-footer-size-in-bytes": 5, "blob-metadata": []}]
    return {"did": "statistics that are not there"}


def moved(metadata):
    metadata["location"] = metadata["location"].rstrip("/") + "-moved"
    return {"did": "another location"}


def replaced(metadata):
    """As CREATE OR REPLACE leaves it: the same table, its properties, and none of its rows."""
    metadata["refs"].pop("main", None)
    metadata["current-snapshot-id"] = -1
    return {"did": "replaced in place: no row of before", "unsettled": True}


def no_properties(metadata):
    metadata["properties"] = {}
    return {"did": "no properties at all", "unsettled": True}


def drop_anew(table, draw, held):
    schema, location = table.schema(), table.location()
    table.catalog.drop_table(table.name())
    table.catalog.create_table(table.name(), schema, location=f"{location}-anew")
    return {"did": "dropped and made anew", "unsettled": True}


def rename_table(table, draw, held):
    table.catalog.rename_table(table.name(), ("shop", f"elsewhere{draw.randint(0, 9)}"))
    return {"did": "renamed the table", "unsettled": True}


def old_metadata(table, draw, held):
    paths = [entry.metadata_file.removeprefix("file://") for entry in table.metadata.metadata_log]
    for path in paths:
        if os.path.exists(path):
            os.remove(path)
    return {"did": f"removed {len(paths)} older metadata files from the disk"}


def lose_metadata(table, draw, held):
    snapshot = table.current_snapshot()
    if snapshot is None:
        return nothing("no snapshot")
    manifests = snapshot.manifests(table.io)
    path = draw.choice([table.metadata_location, snapshot.manifest_list, draw.choice(manifests).manifest_path if manifests else snapshot.manifest_list])
    os.remove(path.removeprefix("file://"))
    return {"did": f"removed {os.path.basename(path)} from the disk", "unsettled": True}


def hold_catalog(table, draw, held):
    """Somebody else's long transaction: nobody can commit meanwhile."""
    connection = sqlite3.connect(str(table.catalog.engine.url.database), timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(draw.choice([0.5, 2, 4]))
    connection.execute("ROLLBACK")
    connection.close()
    return {"did": "held the catalog's lock"}


def lose_file(table, draw, held):
    tasks = list(table.scan().plan_files())
    if not tasks:
        return nothing("no file")
    file = draw.choice(tasks).file
    rows = table.scan(selected_fields=("kafka_partition", "kafka_offset"))
    only = [task for task in rows.plan_files() if task.file.file_path == file.file_path]
    lost = ArrowScan(table.metadata, table.io, rows.projection(), AlwaysTrue()).to_table(only).to_pylist()
    os.remove(file.file_path.removeprefix("file://"))
    held.gone.add(file.file_path)
    held.deleted |= {(row["kafka_partition"], row["kafka_offset"]) for row in lost if row["kafka_partition"] is not None}
    return {"did": f"removed {os.path.basename(file.file_path)} of {len(lost)} rows from the disk"}


HANDS = {
    "set-property": set_property, "drop-properties": drop_properties, "drop-progress": drop_progress, "add-column": add_column, "drop-column": drop_column,
    "rename-column": rename_column, "move-column": move_column, "promote-column": promote_column, "document-column": document_column,
    "make-optional": require_nothing, "change-spec": change_spec, "change-order": change_order, "tag": tag, "expire": expire, "roll-back": roll_back,
    "fast-forward": fast_forward, "append": append, "delete": delete, "overwrite": overwrite, "copy-rows": copy_rows, "drop-anew": drop_anew, "lose-file": lose_file,
    "change-struct": change_struct, "rename-table": rename_table, "old-metadata": old_metadata, "lose-metadata": lose_metadata, "hold-catalog": hold_catalog,
    "drop-marks": drop_marks, "fall-back": fall_back,
}
EDITS = {
    "raw-future": future, "raw-unknown-keys": unknown_keys, "raw-no-logs": no_logs, "raw-no-refs": no_refs, "raw-one-schema": one_schema, "raw-ids-ahead": ids_ahead,
    "raw-bare-summaries": bare_summaries, "raw-statistics": statistics, "raw-moved": moved, "raw-replaced": replaced, "raw-no-properties": no_properties,
    "raw-twin-schema": twin_schema, "raw-strange-order": strange_order, "raw-strange-spec": strange_spec, "raw-many-properties": many_properties,
    "raw-required": required, "raw-version-3": version_3, "raw-old-schema": old_schema, "raw-old-spec": old_spec, "raw-shuffled": shuffled,
    "raw-replaced-bare": replaced_bare,
}


def lay(request, held):
    """A hand that its own engine refuses did nothing; that is not a fault of ours."""
    def change(table):
        draw = random.Random(request["pick"])
        edit = EDITS.get(request["hand"])
        return raw(table, edit) if edit else HANDS[request["hand"]](table, draw, held)
    try:
        return recount.retried(request, change)
    except Exception as error:
        return {"did": f"nothing: {type(error).__name__}: {error}"[:300], "refused": True}
