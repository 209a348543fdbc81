"""Spoils one value of an SQLite file, at random by kind: what no table of ours would hold, or what
is of the right type and of no use."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.codec import ACTED, COPIES, JSON, REFERS, Codec


@dataclass(frozen=True, slots=True)
class Spoiled:
    """What was done to a copy: a value of a column became one of a kind, in one row or in all."""

    table: str
    column: str
    kind: str
    everywhere: bool


Maker = Callable[[random.Random, Any], Any]


def _bytes_as_text(rng: random.Random, _: Any) -> Any:
    # SQLite keeps as text what it is told is text.
    return ("CAST(? AS TEXT)", rng.choice((b"\xff\xfe", b"a\xed\xa0\x80b", b"\xc3", b"a\x00b")))


def _mutated(rng: random.Random, value: Any) -> Any:
    """One place in a JSON value becomes something of another type."""
    strange: Any = rng.choice(
        (None, True, -1, 2**63, 1e308, "", "\ud800", [], {}, [[]], {"": {}}, "x" * 100_000)
    )
    at, places = value, []
    while isinstance(at, dict | list) and at:
        key = rng.choice([*at] if isinstance(at, dict) else range(len(at)))
        places.append((at, key))
        at = at[key]
        if rng.random() < 0.3:
            break
    if not places:
        return strange
    holder, key = places[-1]
    holder[key] = strange
    return value


def _json_mutated(rng: random.Random, value: Any) -> Any:
    try:
        parsed = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return '{"a":' * 3
    return json.dumps(_mutated(rng, parsed))


def _json(rng: random.Random, _: Any) -> Any:
    deep = rng.choice((500, 990, 100_000))
    return rng.choice(
        (
            "[" * deep + "]" * deep,
            '{"a":' * deep + "1" + "}" * deep,
            "{",
            "null",
            "7",
            '"x"',
            "[]",
            "{}",
            '{"a": NaN, "b": Infinity, "c": 1e999}',
            '{"a": ' + "9" * 10_000 + "}",
            '{"$bytes": 5}',
            '{"$bytes": "!"}',
            '{"a": "\\ud800"}',
        )
    )


def _payload(rng: random.Random, value: Any) -> Any:
    """A blob that is sealed as ours are, of a text that none of ours is."""
    codec = Codec()
    numbers = rng.choice(("-5 9 0", "0 9999999 1", "1 2", "a b c", "0 1 2 3 4 5", "", "9" * 5000))
    text = rng.choice(
        (
            f"{numbers}\nabc",
            "[" * 100_000,
            "[]",
            "null",
            '{"a":1}',
            '[{"role":"user","content":{"$observation":[1]}}]',
            '[{"role":5,"content":null},7]',
            '7\n"a"\n{',
            "-\n\n",
            "5",
            "",
            "x" * 40_000_000,
        )
    )
    if rng.random() < 0.3:
        with contextlib.suppress(Exception):
            kept, flags = codec.unpack(value)
            return codec.pack(rng.choice((kept[1:], kept * 2, json.dumps([kept]))), flags)
    return codec.pack(text, rng.choice((0, JSON, JSON | REFERS, COPIES, ACTED, JSON | ACTED)))


def _bomb(rng: random.Random, _: Any) -> Any:
    """Few bytes that become many: of a frame that says so, of one that does not, of several."""
    import zstandard

    from db.codec import _FORM, _sealed

    says = rng.random() < 0.5
    made = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters.from_level(
            1, write_content_size=says, format=_FORM
        )
    )
    if says:
        data = made.compress(b"a" * (1 << 28))
    else:
        stream = made.compressobj()
        data = b"".join(stream.compress(b"a" * (1 << 24)) for _ in range(16)) + stream.flush()
    data *= rng.choice((1, 3))
    tag = 1 | rng.choice((0, JSON)) | rng.choice((0, 96, 96 | 128))
    return bytes((tag,)) + data + (_sealed(tag, data, None) if tag & 96 else b"")


_TIMES = (
    "yesterday", "", "9999-12-31 23:59:59.999999", "0001-01-01 00:00:00.000000",
    "2026-02-30 00:00:00", "2026-01-01T00:00:00+25:00", "2026-01-01", "-2026-01-01 00:00:00",
)  # fmt: skip
KINDS: dict[str, Maker] = {
    "NULL": lambda rng, _: None,
    "blob": lambda rng, _: rng.choice((b"", b"\xff\x00", b"\x00" * 100_000)),
    "bytes as text": _bytes_as_text,
    "huge number": lambda rng, _: rng.choice((2**63 - 1, -(2**63), 2**53, -1, 0, 2**31)),
    "float": lambda rng, _: rng.choice((float("inf"), float("-inf"), 1e308, -0.0, 0.5)),
    "word": lambda rng, _: rng.choice(("many", "nan", "inf", "", " ", "1e999", "9" * 5000)),
    "time": lambda rng, _: rng.choice(_TIMES),
    "long text": lambda rng, _: ("CAST(replace(hex(zeroblob(?)), '00', ?) AS TEXT)", rng.choice(
        ((10_000_000, "ab"), (3_000_000, "a\n"), (5_000_000, "a "), (3_000_000, "\u202e"))
    )),
    "hostile text": lambda rng, _: _hostile(rng),
    "JSON": _json,
    "JSON of another shape": _json_mutated,
    "sealed payload": _payload,
    "bomb": _bomb,
    "gone": lambda rng, _: ("DELETE",),
}  # fmt: skip


def _hostile(rng: random.Random) -> str:
    from db.models.columns import clean_text
    from torture.texts import hostile

    return clean_text(hostile(rng.randrange(1000), rng.randrange(1000), "[1]"))


def spoil(file: Path, rng: random.Random, kinds: Sequence[str] = (*KINDS,)) -> Spoiled | None:
    """Spoil one value of a file that nobody has open; None where the tables took it for another."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            if connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()
        ]
        table = rng.choice(tables)
        about = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        key = ", ".join(f'"{row[1]}"' for row in about if row[5]) or "rowid"
        column, declared = rng.choice([row[1:3] for row in about])
        kind = rng.choice([kind for kind in kinds if _fits(kind, declared)] or list(kinds))
        (rows,) = connection.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()
        # A long one in every row would fill the disk.
        everywhere = rng.random() < 0.3 and kind not in ("long text", "sealed payload", "bomb")
        one = f'({key}) = (SELECT {key} FROM "{table}" LIMIT 1 OFFSET {rng.randrange(rows)})'
        where = "1" if everywhere else one
        (old,) = connection.execute(
            f'SELECT CAST("{column}" AS BLOB) FROM "{table}" WHERE {one}'
        ).fetchone()
        if declared != "BLOB" and isinstance(old, bytes):
            old = old.decode("utf-8", "replace")
        value = KINDS[kind](rng, old)
        try:
            if value == ("DELETE",):
                connection.execute(f'DELETE FROM "{table}" WHERE {where}')
            else:
                made, values = "?", (value,)
                if isinstance(value, tuple):
                    made = value[0]
                    values = value[1] if isinstance(value[1], tuple) else (value[1],)
                if isinstance(value, str):
                    values = (value.encode("utf-8", "surrogatepass").decode("utf-8", "replace"),)
                connection.execute(
                    f'UPDATE "{table}" SET "{column}" = {made} WHERE {where}',
                    values,
                )
        except sqlite3.Error:
            return None
        return Spoiled(table, column, kind, everywhere)


def _fits(kind: str, declared: str) -> bool:
    if kind in ("sealed payload", "bomb"):
        return declared == "BLOB"
    if kind.startswith("JSON"):
        return declared == "JSON"
    if kind == "time":
        return declared.startswith(("DATETIME", "TEXT", "VARCHAR"))
    return True
