"""Reads committed Parquet files of a lake without leat and writes each row as the event that it was, one a line.

usage: read.py duckdb|polars|pyarrow < paths

This is the whole of what another program has to know: docs/11-formats.md, "Rows and events".
"""
import datetime
import decimal
import json
import sys


class Number(str):
    """A number of rest, with its digits."""


def rows(engine, files):
    if engine == "duckdb":
        import duckdb

        db = duckdb.connect()
        # Files of several versions of leat have other columns: by name, and NULL where a file lacks one.
        cursor = db.execute("SELECT * FROM read_parquet($files, union_by_name = true, hive_partitioning = false)", {"files": files})
        names = [c[0] for c in cursor.description]
        while batch := cursor.fetchmany(1000):
            for r in batch:
                yield dict(zip(names, r))
    elif engine == "polars":
        import polars

        for f in files:
            yield from polars.read_parquet(f, hive_partitioning=False).iter_rows(named=True)
    elif engine == "pyarrow":
        import pyarrow.parquet

        for f in files:
            yield from pyarrow.parquet.ParquetFile(f).read().to_pylist()
    else:
        sys.exit("no engine " + engine)


def unescape(s):
    """Undoes what rest has for a NUL, half of a surrogate pair, a number beyond a double, and U+001A itself."""
    out, i = "", 0
    if s.startswith("\x1an"):
        return Number(s[2:])
    while i < len(s):
        if s[i] == "\x1a" and s[i + 1 : i + 2] == "\x1a":
            out, i = out + "\x1a", i + 2
        elif s[i] == "\x1a":
            out, i = out + chr(int(s[i + 1 : i + 5], 16)), i + 5
        else:
            out, i = out + s[i], i + 1
    return out


def plain(v):
    if isinstance(v, dict):
        return {unescape(k): plain(x) for k, x in v.items()}
    if isinstance(v, list):
        return [plain(x) for x in v]
    return unescape(v) if isinstance(v, str) and not isinstance(v, Number) else v


def number(f):
    if f != 0 and (abs(f) < 1e-6 or abs(f) >= 1e21):
        mantissa, exponent = repr(f).split("e")
        return "%se%+03d" % (mantissa.removesuffix(".0"), int(exponent))
    return format(decimal.Decimal(repr(f)), "f").removesuffix(".0")


def column(v):
    if isinstance(v, datetime.datetime):
        text = v.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return (text[:-3] if text.endswith("000") else text) + "Z"
    return Number(number(v)) if isinstance(v, float) else v


def join(columns, rest):
    """Columns and rest are one object; where both have a value, rest has the exact one."""
    out = dict(rest)
    for k, v in columns.items():
        if isinstance(v, dict):
            if k not in rest or isinstance(rest[k], dict):
                sub = join(v, rest.get(k, {}))
                if sub or k in rest:
                    out[k] = sub
        elif v is not None and k not in rest:
            out[k] = column(v)
    return out


def dump(v):
    if isinstance(v, Number):
        return str(v)
    if isinstance(v, dict):
        return "{" + ",".join(json.dumps(k) + ":" + dump(x) for k, x in v.items()) + "}"
    if isinstance(v, list):
        return "[" + ",".join(map(dump, v)) + "]"
    return json.dumps(v)


def event(row):
    rest = row.pop("rest", None)
    exact = json.loads(rest, parse_float=Number, parse_int=Number) if rest else {}
    return dump(join(row, plain(exact)))


sys.setrecursionlimit(100_000)
for r in rows(sys.argv[1], sys.stdin.read().split("\n")[:-1]):
    print(event(r))
