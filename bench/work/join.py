"""Joins normal events with users.csv, as enrich does: python3 join.py duckdb|polars EVENTS OUT."""
import os
import sys

engine, events, out = sys.argv[1:]
if engine == "duckdb":
    import duckdb

    duckdb.execute("SET threads = " + os.environ.get("THREADS", "1"))
    duckdb.execute(f"""
COPY (SELECT e.* REPLACE (strftime(e."@timestamp", '%Y-%m-%dT%H:%M:%S.%gZ') AS "@timestamp",
                          {{'id': e.user.id, 'full_name': u.name, 'email': u.email, 'office': {{'city': u.office}}}} AS user)
      FROM read_ndjson('{events}') AS e LEFT JOIN read_csv('users.csv') AS u ON u.id = e.user.id)
TO '{out}' (FORMAT json)""")
else:
    import polars as pl

    users = pl.scan_csv("users.csv").select("id", full_name="name", email="email", office=pl.struct(city="office"))
    (
        pl.scan_ndjson(events)
        .with_columns(id=pl.col("user").struct.field("id"))
        .join(users, on="id", how="left", maintain_order="left")
        .with_columns(user=pl.struct("id", "full_name", "email", "office"))
        .drop("id", "full_name", "email", "office")
        .sink_ndjson(out)
    )
