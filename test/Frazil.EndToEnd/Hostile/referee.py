"""The hostile suite's referee and other hands: recount.py's process with more operations. One JSON request a line, one JSON answer a line.

  {"op": "book", "db", "records": [[partition, offset, kind, seq, value]…]}   what the broker acknowledged; kind is plain, odd or broken
  {"op": "look", "db", "table", "schema_touched"}   every record against the rows and the dead letters, by PyIceberg; DuckDB counts along
  {"op": "hand", "db", "table", "hand", "pick", …}  commits as another engine would, or edits the metadata as none should (hands.py)
  {"op": "forget", "db"}
"""
import base64
import collections
import decimal
import importlib
import json
import pathlib
import sys

here = pathlib.Path(__file__).parent
sys.path[:0] = [str(here.parent / "Rig"), str(here)]
import duckdb
import pyarrow as pa
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg import types

import hands
import recount

MOST = 20  # positions that an answer names
books = {}


class Book:
    """What is known of one scene."""

    def __init__(self):
        self.records, self.deleted, self.copied, self.read, self.gone, self.compared = {}, set(), set(), {}, set(), set()


def book_of(request):
    return books.setdefault(request["db"], Book())


def book(request):
    records = book_of(request).records
    for partition, offset, kind, seq, value in request["records"]:
        records[partition, offset] = (kind, seq, value)
    return {"records": len(records)}


def forget(request):
    books.pop(request["db"], None)
    recount.catalogs.clear()
    return {}


# --- values --------------------------------------------------------------------------------------------------------------

def is_empty(value):
    """Whether a value of JSON shows no type, so that it may be in no column."""
    if isinstance(value, dict):
        return all(is_empty(one) for one in value.values())
    return value is None or isinstance(value, list) and all(is_empty(one) for one in value)


def differs(value, cell, kind):
    """Whether a cell is not what the record said; None where the type says it in another way (a timestamp's text)."""
    if cell is None or is_empty(value):
        return not is_empty(value) or not is_empty(dict(cell) if isinstance(kind, types.MapType) and cell else cell)
    if isinstance(kind, types.StructType):
        fields = {field.name: field.field_type for field in kind.fields}
        return not isinstance(value, dict) or any(
            differs(one, cell.get(name), fields[name]) if name in fields else not is_empty(one) for name, one in value.items())
    if isinstance(kind, types.ListType):
        return not isinstance(value, list) or len(value) != len(cell) or any(differs(a, b, kind.element_type) for a, b in zip(value, cell))
    if isinstance(kind, types.MapType):
        cells = dict(cell)
        return not isinstance(value, dict) or set(value) != set(cells) or any(differs(one, cells[name], kind.value_type) for name, one in value.items())
    if isinstance(kind, types.BooleanType):
        return value is not cell
    if isinstance(kind, (types.IntegerType, types.LongType)):
        return isinstance(value, bool) or value != cell
    if isinstance(kind, types.DoubleType):
        return float(value) != cell
    if isinstance(kind, types.DecimalType):
        return decimal.Decimal(value) != cell
    return value != cell if isinstance(kind, types.StringType) else False


def wrong_columns(value, row, schema):
    """Names of columns of a row that do not say what the record said."""
    record = json.loads(base64.b64decode(value), parse_float=decimal.Decimal)
    fields = {field.name: field.field_type for field in schema.fields}
    return [name for name, one in record.items() if (differs(one, row.get(name), fields[name]) if name in fields else not is_empty(one))]


# --- rows ----------------------------------------------------------------------------------------------------------------

def positions(request, table, held):
    """Positions of the table's rows by file; files are read once, with the schema that the table has then."""
    found, foreign, wrong = [], 0, []
    schema = table.schema()
    for task in table.scan().plan_files():
        path = task.file.file_path
        if path in held.gone:
            continue
        if path not in held.read:
            rows = ArrowScan(table.metadata, table.io, schema, AlwaysTrue()).to_table([task])
            if "kafka_timestamp" in rows.column_names and pa.types.is_timestamp(rows.schema.field("kafka_timestamp").type):
                rows = rows.drop_columns("kafka_timestamp")  # Python's own dates end with the year 9999, Kafka's do not
            rows = rows.to_pylist()
            ours = [row for row in rows if row.get("kafka_partition") is not None]
            wrong += compare(request, held, ours, schema)
            held.read[path] = ([(row["kafka_partition"], row["kafka_offset"]) for row in ours], len(rows) - len(ours))
        found += held.read[path][0]
        foreign += held.read[path][1]
    return found, foreign, wrong


def compare(request, held, rows, schema):
    wrong = []
    for row in rows:
        at = row["kafka_partition"], row["kafka_offset"]
        kind, seq, value = held.records.get(at, ("unknown", None, None))
        if at in held.compared or value is None or "error_code" in row:
            continue  # once: what hands have done to it since is theirs
        held.compared.add(at)
        if request["schema_touched"]:
            continue
        names = wrong_columns(value, row, schema)
        if names:
            wrong.append(f"{at[0]}@{at[1]}: {', '.join(f'{name!r} is {row.get(name)!r}' for name in names)[:400]}; the record: {base64.b64decode(value)[:400]!r}")
    return wrong


def look(request):
    held = book_of(request)
    try:
        table = recount.load(request)
    except NoSuchTableError:
        return {"no_table": True, "missing": [f"{p}@{o}" for p, o in sorted(held.records)][:MOST]} | dict.fromkeys(("twice", "unknown", "misplaced", "wrong"), []) | {
            "rows": 0, "foreign": 0, "letters": 0, "counts": None}
    rows, foreign, wrong = positions(request, table, held)
    letters = []
    try:
        letters, _, _ = positions(request, recount.load(request | {"table": request["table"] + "_dlq"}), held)
    except NoSuchTableError:
        pass
    times = collections.Counter(rows) + collections.Counter(letters)
    text = lambda found: [f"{p}@{o} ({held.records.get((p, o), ('unknown',))[0]})" for p, o in sorted(found)][:MOST]
    kinds = lambda found, kind: {at for at in found if held.records.get(at, ("",))[0] == kind}
    return {
        "rows": len(rows), "foreign": foreign, "letters": len(letters),
        "missing": text(held.records.keys() - times.keys() - held.deleted),
        "twice": text({at for at, n in times.items() if n > 1} - held.copied),
        "unknown": text(times.keys() - held.records.keys()),
        "misplaced": text(kinds(rows, "broken") | kinds(letters, "plain") - held.copied),
        "wrong": wrong[:MOST],
        "counts": None if held.gone else counts(table),
        "plain_rows": len(kinds(set(rows), "plain")),
        "deleted": [[p, o] for p, o in sorted(held.deleted)], "copied": [[p, o] for p, o in sorted(held.copied)], "gone": len(held.gone),
    }


# --- DuckDB --------------------------------------------------------------------------------------------------------------

connections = []


def engine():
    if not connections:
        connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": "2"})
        for name in ("avro", "iceberg"):
            package = pathlib.Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
            extension, = package.glob(f"extensions/v{duckdb.__version__}/{name}.duckdb_extension")
            connection.execute(f"LOAD '{extension}'")
        connections.append(connection)
    return connections[0]


def counts(table):
    """How many rows DuckDB's Iceberg extension sees, and in how many of them each column has a value."""
    names = [field.name for field in table.schema().fields]
    quoted = lambda name: '"' + name.replace('"', '""') + '"'
    location = table.metadata_location.replace("'", "''")
    row = engine().execute(f"SELECT count(*), {', '.join(f'count({quoted(name)})' for name in names)} FROM iceberg_scan('{location}')").fetchone()
    return {"rows": row[0], "columns": dict(zip(names, row[1:]))}


def hand(request):
    return hands.lay(request, book_of(request))


recount.serve(recount.operations | {"book": book, "look": look, "forget": forget, "hand": hand})
