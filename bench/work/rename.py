"""Renames 8 fields of audit records with DuckDB: python3 rename.py EVENTS OUT."""
import sys

import duckdb

events, out = sys.argv[1:]
keep = "Id RecordType OrganizationId UserType Version Workload requestParameters ExtendedProperties Target ErrorNumber InterSystemsId IsCompliant".split()
rest = ", ".join(f"'{k}': \"{k}\"" for k in keep)
duckdb.execute("SET threads = 1")
duckdb.execute(f"""
COPY (SELECT strftime(make_timestamp_ms(round(ts * 1000)::BIGINT), '%Y-%m-%dT%H:%M:%S.%gZ') AS "@timestamp",
        {{'action': Operation, 'outcome': ResultStatus, 'kind': 'event', 'module': 'o365'}} AS event,
        {{'id': UserId}} AS "user", {{'ip': userIP, 'port': userPort}} AS source, {{'name': hostName}} AS host,
        {{'original': UserAgent}} AS user_agent, {{'vendor': 'Microsoft'}} AS observer, {{'version': '9.5.0'}} AS ecs,
        {{'audit': {{{rest}}}}} AS o365
      FROM read_ndjson('{events}'))
TO '{out}' (FORMAT json)""")
