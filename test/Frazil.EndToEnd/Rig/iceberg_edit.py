"""Changes a table as another engine would: iceberg_edit.py CATALOG_DB CATALOG_NAME TABLE EDIT [ARGUMENT]. Prints a line of JSON.

drop COLUMN: drops a column. copy-row OFFSET: appends a copy of some row of partition 0, with this kafka_offset. branch NAME: what the branch holds of
partition 0. delete SQL: deletes rows (PyIceberg rewrites files).
"""
import json
import sys

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog

database, catalog, name, edit, argument = sys.argv[1:6]
table = SqlCatalog(catalog, uri=f"sqlite:///{database}").load_table(name)
if edit == "drop":
    with table.update_schema() as update:
        update.delete_column(argument)
    print("{}")
elif edit == "copy-row":
    row = table.scan(row_filter="kafka_partition = 0", limit=1).to_arrow().slice(0, 1)
    at = row.schema.get_field_index("kafka_offset")
    row = row.set_column(at, row.schema.field(at), pa.array([int(argument)], pa.int64()))
    table.append(row)
    print("{}")
elif edit == "branch":
    snapshot = table.snapshot_by_name(argument)
    rows = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
    offsets = rows.filter(pc.equal(rows["kafka_partition"], 0))["kafka_offset"]
    print(json.dumps({"rows": rows.num_rows, "offsets": len(offsets), "distinct": pc.count_distinct(offsets).as_py(),
                      "current": table.current_snapshot().snapshot_id, "head": snapshot.snapshot_id}))
elif edit == "delete":
    table.delete(argument)
    print("{}")
