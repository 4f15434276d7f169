"""Makes files for a reader to be judged by: parquet_rewrite.py MANIFEST.

MANIFEST is JSON lines. {"from", "to", "seed"}: pyarrow reads `from` and writes it to `to` with options by the seed. {"dump"}: nothing is written.
Prints a line for each: {"path", "rows"} with every value as one canonical text, or {"path", "failed"} where pyarrow itself cannot.
"""
import json
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from parquet_referee import rows_of


def options(chance, table):
    leaves = {}
    for field in table.schema:
        if pa.types.is_nested(field.type):
            continue
        kind = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
        if pa.types.is_integer(kind):
            leaves[field.name] = chance.choice(["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"])
        elif pa.types.is_string(kind) or pa.types.is_binary(kind):
            leaves[field.name] = chance.choice(["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"])
        elif pa.types.is_floating(kind):
            leaves[field.name] = chance.choice(["PLAIN", "BYTE_STREAM_SPLIT"])
        elif pa.types.is_boolean(kind):
            leaves[field.name] = chance.choice(["PLAIN", "RLE"])
        elif pa.types.is_fixed_size_binary(kind):
            leaves[field.name] = chance.choice(["PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"])
    plain = chance.random() < 0.6
    return {
        "compression": chance.choice(["none", "snappy", "gzip", "brotli", "lz4", "zstd"]),
        "data_page_version": chance.choice(["1.0", "2.0"]),
        "use_dictionary": False if plain else True,
        "column_encoding": leaves if plain and leaves else None,
        "data_page_size": chance.choice([64, 4096, 1 << 20]),
        "row_group_size": chance.choice([100, 1000, 1 << 20]),
        "write_page_index": chance.random() < 0.5,
        "write_page_checksum": chance.random() < 0.5,
        "use_compliant_nested_type": chance.random() < 0.7,
        "store_decimal_as_integer": chance.random() < 0.5,
        "use_deprecated_int96_timestamps": chance.random() < 0.2,
    }


with open(sys.argv[1], encoding="utf-8") as manifest:
    for line in manifest:
        entry = json.loads(line)
        path = entry.get("to", entry.get("dump"))
        try:
            if "from" in entry:
                table = pq.ParquetFile(entry["from"]).read()
                pq.write_table(table, path, **options(random.Random(entry["seed"]), table))
            rows = rows_of(pq.ParquetFile(path).read())
        except (pa.ArrowException, OSError, ValueError, OverflowError) as reason:
            print(json.dumps({"path": path, "failed": str(reason)}))
            continue
        print(json.dumps({"path": path, "rows": rows}))
