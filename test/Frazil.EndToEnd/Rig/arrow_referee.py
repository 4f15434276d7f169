"""Reads an Arrow IPC stream with PyArrow and prints, as JSON, each column's type and values as Python sees them."""
import json
import sys

import pyarrow as pa

with pa.ipc.open_stream(sys.argv[1]) as stream:
    table = stream.read_all()
table.validate(full=True)
print(json.dumps({
    "rows": table.num_rows,
    "columns": [
        {"name": field.name, "type": str(field.type), "values": [repr(value.as_py()) for value in table.column(number)]}
        for number, field in enumerate(table.schema)
    ],
}))
