"""Runs SQL over what PyIceberg read of a table: referee.py CATALOG_DB|JSON CATALOG_NAME TABLE SQL prints the rows as JSON.

The table stands in the SQL as `t`. PyIceberg finds the files and reads them; DuckDB only computes. Numbers that JSON readers round are texts.
"""
import decimal
import json
import sys

import duckdb
from pyiceberg.catalog import load_catalog
from pyiceberg.catalog.sql import SqlCatalog

database, catalog, table, sql = sys.argv[1:5]
if database.startswith("{"):            # a REST catalog's properties
    opened = load_catalog(catalog, type="rest", **json.loads(database))
else:
    opened = SqlCatalog(catalog, uri=f"sqlite:///{database}")
iceberg = opened.load_table(table)
t = iceberg.scan().to_arrow()
rows = duckdb.sql(sql).fetchall()
plain = lambda value: str(value) if isinstance(value, (int, decimal.Decimal)) else value
json.dump({"rows": [[plain(value) for value in row] for row in rows], "properties": dict(iceberg.properties)}, sys.stdout)
