"""The suites' independent referee: PyIceberg, kept alive between rounds. One JSON request a line on stdin, one JSON answer a line on stdout.

  {"op": "count", "db", "table", "sums": [column…]}   counts rows, distinct Kafka positions and distinct ids of the table as it is now
  {"op": "expire" | "compact" | "append" | "property" | "drop", "db", "table", …}   commits as a foreign engine would

Data files never change, so each is read once and remembered; which of them make up the table is asked of the table's metadata each time.
Rows without a Kafka partition are those that "append" wrote; they are counted apart. The hostile suite's script adds more operations.
"""
import datetime
import json
import logging
import sys
import warnings

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.expressions import AlwaysTrue, And, EqualTo, LessThan
from pyiceberg.io.pyarrow import ArrowScan

warnings.filterwarnings("ignore")
logging.getLogger("pyiceberg").setLevel(logging.ERROR)
SHIFT = 1 << 44  # a Kafka position as one number: partition * SHIFT + offset

catalogs, files = {}, {}


def load(request):
    db = request["db"]
    if db not in catalogs:
        catalogs.clear()
        files.clear()
        catalogs[db] = SqlCatalog("frazil", uri=f"sqlite:///{db}")
    return catalogs[db].load_table(request["table"])


def read(table, task, wanted):
    """Positions, ids and sums of one data file."""
    schema = table.schema()
    names = [name for name in wanted if name in schema.column_names]
    rows = ArrowScan(table.metadata, table.io, schema.select(*names), AlwaysTrue()).to_table([task])
    ours = rows.filter(pc.is_valid(rows["kafka_partition"]))
    partition = ours["kafka_partition"].cast(pa.int64()).combine_chunks()
    position = pc.add(pc.multiply(partition, SHIFT), ours["kafka_offset"].combine_chunks())
    ids = ours["seq"].combine_chunks() if "seq" in names else position
    sums = {name: pc.sum(ours[name]).as_py() or 0 for name in names if name not in ("kafka_partition", "kafka_offset", "seq")}
    return {"rows": len(ours), "foreign": len(rows) - len(ours), "partitions": partition, "positions": position, "ids": ids, "sums": sums}


def counts_of(values):
    return [(one["values"].as_py(), one["counts"].as_py()) for one in pc.value_counts(values)]


def count(request):
    try:
        table = load(request)
    except NoSuchTableError:
        return {"rows": 0, "positions": 0, "ids": 0, "id_sum": "0", "foreign": 0, "sums": {}, "partitions": {}, "properties": {}, "snapshots": 0, "files": 0}
    wanted = ["kafka_partition", "kafka_offset", "seq", *request["sums"]]
    live = []
    for task in table.scan().plan_files():
        key = (task.file.file_path, *wanted)
        if task.delete_files:
            raise ValueError(f"{task.file.file_path} has delete files; nobody here writes them")
        if key not in files:
            files[key] = read(table, task, wanted)
        live.append(files[key] | {"path": task.file.file_path})
    joined = {name: pa.chunked_array([one[name] for one in live], pa.int64()) for name in ("partitions", "positions", "ids")}
    distinct = pc.unique(joined["ids"])
    sums = {}
    for one in live:
        for name, value in one["sums"].items():
            sums[name] = sums.get(name, 0) + value
    answer = {
        "rows": len(joined["ids"]), "positions": len(pc.unique(joined["positions"])), "ids": len(distinct), "id_sum": str(pc.sum(distinct).as_py() or 0),
        "foreign": sum(one["foreign"] for one in live), "sums": {name: str(value) for name, value in sums.items()},
        "partitions": {str(partition): rows for partition, rows in counts_of(joined["partitions"])}, "properties": dict(table.properties),
        "snapshots": len(table.metadata.snapshots), "files": len(live),
    }
    if answer["positions"] < answer["rows"]:
        twice = [value for value, times in counts_of(joined["positions"]) if times > 1][:10]
        answer["twice"] = [
            f"{value // SHIFT}@{value % SHIFT} in " + ", ".join(one["path"] for one in live if pc.index(one["positions"], value).as_py() >= 0) for value in twice]
    if answer["ids"] < request.get("expected", 0):
        held = set(distinct.to_pylist())
        answer["missing"] = [one for one in range(max(held, default=0) + 1) if one not in held][:50]
    return answer


def retried(request, change):
    """Foreign engines retry their conflicts, too."""
    for attempt in range(30):
        try:
            return change(load(request)) or {"attempts": attempt + 1}
        except CommitFailedException:
            continue
    return {"gave_up": True}


def expire(request):
    def change(table):
        now = datetime.datetime.now() + datetime.timedelta(days=30)
        table.maintenance.expire_snapshots().older_than(now).commit()
    return retried(request, change)


def compact(request):
    """Rewrites the older rows of one partition into one file: the same rows, other files."""
    def change(table):
        older = And(EqualTo("kafka_partition", request["partition"]), LessThan("kafka_offset", request["below"]))
        rows = table.scan(row_filter=older).to_arrow()
        if len(rows) == 0:
            return {"nothing": True}
        table.overwrite(rows, overwrite_filter=older)
        return {"rows": len(rows)}
    return retried(request, change)


def append(request):
    def change(table):
        schema = table.schema().as_arrow()
        rows = pa.Table.from_pylist([{name: None for name in schema.names} | {"user_id": -1} for _ in range(request["rows"])], schema=schema)
        table.append(rows)
        return {"rows": request["rows"]}
    return retried(request, change)


def set_property(request):
    def change(table):
        with table.transaction() as transaction:
            transaction.set_properties({request["key"]: request["value"]})
    return retried(request, change)


def drop(request):
    table = load(request)
    schema, location = table.schema(), table.location()
    catalogs[request["db"]].drop_table(request["table"])
    if request.get("anew"):
        catalogs[request["db"]].create_table(request["table"], schema, location=f"{location}-anew")
    return {}


def serve(operations):
    """Answers until standard input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = operations[request["op"]](request)
        except Exception as error:  # told to the suite, which decides what it means
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


operations = {"drop": drop, "count": count, "expire": expire, "compact": compact, "append": append, "property": set_property}
if __name__ == "__main__":
    serve(operations)
