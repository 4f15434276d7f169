"""Reads Parquet files with pyarrow, DuckDB and PyIceberg: parquet_referee.py MANIFEST prints what does not agree with it, as JSON.

MANIFEST is JSON lines, one a file: path, columns, rows (each value as one canonical text), records, splits, and leaves: field id to
[values, nulls, bytes, lower, upper] of the columns outside of lists.
"""
import json
import math
import struct
import sys
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import pyarrow_to_schema


def text(value, kind):
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if value is None:
        return "null"
    if pa.types.is_boolean(kind):
        return "true" if value else "false"
    if pa.types.is_float32(kind):
        return "ffc00000" if math.isnan(value) else struct.pack(">f", value).hex()
    if pa.types.is_float64(kind):
        return "fff8000000000000" if math.isnan(value) else struct.pack(">d", value).hex()
    if pa.types.is_date(kind):
        return f"{value.month:02}/{value.day:02}/{value.year:04}"
    if pa.types.is_time(kind):
        return f"{value.hour:02}:{value.minute:02}:{value.second:02}.{value.microsecond:06}"
    if pa.types.is_timestamp(kind):
        whole = f"{value.year:04}-{value.month:02}-{value.day:02}T{value.hour:02}:{value.minute:02}:{value.second:02}.{value.microsecond:06}"
        return whole + "+00:00" if kind.tz else whole
    if pa.types.is_decimal(kind):
        return format(value, "f")
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex().upper()
    if pa.types.is_struct(kind):
        return "{" + ",".join(f"{f.name}:{text(value[f.name], f.type)}" for f in kind) + "}"
    if pa.types.is_map(kind):
        pairs = value.items() if isinstance(value, dict) else value
        return "<" + ",".join(f"{k}:{text(v, kind.item_type)}" for k, v in pairs) + ">"
    if pa.types.is_list(kind):
        return "[" + ",".join(text(v, kind.value_type) for v in value) + "]"
    return str(value)


def rows_of(table):
    # Microseconds from year 1 to 9999, which datetime has and pandas has not; DuckDB hands uuids over as text or as an extension.
    columns = [[text(value, column.type) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns)]


def compare(path, engine, found, expected, wrong):
    if len(found) != len(expected):
        wrong.append(f"{path} {engine}: {len(found)} rows, not {len(expected)}")
        return
    for number, (left, right) in enumerate(zip(found, expected)):
        for column, (a, b) in enumerate(zip(left, right)):
            if a.lower() != b.lower():
                wrong.append(f"{path} {engine}: row {number} column {column}: {a!r}, not {b!r}")
                return


def check_footer(entry, wrong):
    path = entry["path"]
    meta = pq.read_metadata(path)
    if meta.num_rows != entry["records"] or meta.num_row_groups != len(entry["splits"]):
        wrong.append(f"{path}: {meta.num_rows} rows in {meta.num_row_groups} groups")
    ids = leaf_ids(pyarrow_to_schema(pq.read_schema(path)).fields)
    if [i for i, _ in ids] != [int(i) for i in entry["order"]]:
        wrong.append(f"{path}: PyIceberg finds the field ids {ids}")
        return
    for column, (field, repeated) in enumerate(ids):
        values, nulls, size, _, _ = entry["leaves"][str(field)]
        chunks = [meta.row_group(group).column(column) for group in range(meta.num_row_groups)]
        if sum(chunk.total_compressed_size for chunk in chunks) != size:
            wrong.append(f"{path}: field {field} has another size")
        if repeated:
            continue
        if sum(chunk.num_values for chunk in chunks) != values or sum(chunk.statistics.null_count for chunk in chunks) != nulls:
            wrong.append(f"{path}: field {field} has other counts")
        check_bounds(path, field, chunks, entry["leaves"][str(field)], wrong)
    for group, start in enumerate(entry["splits"]):
        first = meta.row_group(group).column(0)
        if (first.dictionary_page_offset or first.data_page_offset) != start:
            wrong.append(f"{path}: row group {group} does not begin at {start}")


def check_bounds(path, field, chunks, leaf, wrong):
    """Of types whose bounds in a footer are whole: the least of all row groups is the file's."""
    if chunks[0].physical_type not in ("INT32", "INT64") or "Decimal" in str(chunks[0].statistics.logical_type if chunks[0].statistics else ""):
        return
    having = [chunk.statistics for chunk in chunks if chunk.statistics.has_min_max]
    wide = "<i" if chunks[0].physical_type == "INT32" else "<q"
    found = [struct.pack(wide, min(s.min_raw for s in having)).hex(), struct.pack(wide, max(s.max_raw for s in having)).hex()] if having else [None, None]
    if found != leaf[3:5]:
        wrong.append(f"{path}: field {field} has the bounds {found} in the footer, {leaf[3:5]} in the summary")


def leaf_ids(fields, repeated=False):
    found = []
    for field in fields:
        kind = field.field_type
        if kind.is_primitive:
            found.append((field.field_id, repeated))
        elif hasattr(kind, "element_id"):
            found += leaf_ids([kind.element_field], True)
        elif hasattr(kind, "key_id"):
            found += leaf_ids([kind.key_field, kind.value_field], True)
        else:
            found += leaf_ids(kind.fields, repeated)
    return found


if __name__ == "__main__":
    wrong = []
    files = 0
    duckdb.sql("SET TimeZone = 'UTC'")
    with open(sys.argv[1], encoding="utf-8") as manifest:
        for line in manifest:
            entry = json.loads(line)
            files += 1
            compare(entry["path"], "pyarrow", rows_of(pq.ParquetFile(entry["path"], page_checksum_verification=True).read()), entry["rows"], wrong)
            quoted = entry["path"].replace("'", "''")
            compare(entry["path"], "duckdb", rows_of(duckdb.sql(f"SELECT * FROM read_parquet('{quoted}')").to_arrow_table()), entry["rows"], wrong)
            check_footer(entry, wrong)
    json.dump({"files": files, "wrong": wrong[:20]}, sys.stdout)
