"""Looks for the API key in everything that the torture has left behind.

A provider first repeats the key in its errors, in every wording and under every status. Then all
files are read byte by byte: databases and their logs, books, tournament files, exports, what
commands printed, and what a crash left; and every row of every database, its compressed texts
unpacked.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import inspect, text

from db.codec import CHECKED, COMPRESSED, SECOND, Codec
from torture.databases import KINDS, Kind, connected
from torture.harness import Harness
from torture.rows import Row
from torture.scene import Scene

PART = "secrets"
ERRORS = 49  # wordings times statuses
MOST_RUNS = 60
LONGEST_RUN = 60.0  # seconds
# The shortest stretch of the key that gives it away, in characters.
TELLING = 12


def needles(key: str) -> set[bytes]:
    """What must not be found: every stretch of the key, as it is and as others might write it."""
    body = key.rpartition("-")[2]
    found = {body[at : at + TELLING] for at in range(len(body) - TELLING + 1)}
    found |= {quote(key, safe=""), json.dumps(key)[1:-1], key[::-1], body.upper()}
    found |= {body.encode().hex(), body.encode("utf-16-le").decode("latin-1")}
    for shift in range(3):
        whole = base64.b64encode(b" " * shift + key.encode()).decode()
        # Ends depend on what stands around them.
        found |= {whole[4 : 4 + 20], whole[4 : 4 + 20].replace("+", "-").replace("/", "_")}
    return {needle.encode("latin-1") for needle in found}


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    rows: list[Row] = []
    for kind in KINDS[:1] if toy else KINDS:
        rows += _provoked(harness, kind, 7 if toy else ERRORS)
    rows += crashed(harness)
    files = [path for path in harness.folder.rglob("*") if path.is_file()]
    files += [path for path in harness.databases.files() if path.is_file()]
    wanted = needles(harness.key)
    found = [path for path in files if any(needle in path.read_bytes() for needle in wanted)]
    rows.append(
        Row(
            PART,
            "files in which the key is found",
            len(found),
            promised=0,
            note=f"of {len(files):,} ({sum(p.stat().st_size for p in files) / 2**20:.0f} MiB)"
            + (f"; first: {found[0].name}" if found else ""),
        )
    )
    cells, leaks = 0, []
    for url in dict.fromkeys(harness.databases.made):
        for where, data in values(url):
            cells += 1
            if any(needle in data for needle in wanted):
                leaks.append(where)
    rows.append(
        Row(
            PART,
            "values of databases in which the key is found",
            len(leaks),
            promised=0,
            note=f"of {cells:,} in {len(set(harness.databases.made))} databases, unpacked"
            + (f"; first: {leaks[0]}" if leaks else ""),
        )
    )
    return rows


def crashed(harness: Harness) -> Iterator[Row]:
    """A run that aborts in the middle, where the user lets crashes write core files; and, to show
    that the system would, a process that does without the arena's care."""
    with harness.service(f"{PART}-crash") as service:
        scene = Scene(harness, service, PART, "crash", games=6)
        command = scene.start_and_wait(10, core_files=True)
        command.signal(signal.SIGABRT)
        code = command.wait().code
    left = [*scene.commands.folder.glob("core*")]
    with_key = _core_of_another(harness)
    yield Row(
        PART,
        f"{scene.label}: core files of a run that crashed",
        len(left),
        promised=0,
        note=f"ended with {code}; "
        + (
            "another process left its core, with the key in it"
            if with_key
            else "nor did another process here: the system writes none, or elsewhere"
        ),
    )


def _core_of_another(harness: Harness) -> bool:
    """Whether a process that has the key leaves it in a core file when it crashes."""
    code = (
        "import os, resource; _, most = resource.getrlimit(resource.RLIMIT_CORE); "
        "resource.setrlimit(resource.RLIMIT_CORE, (most, most)); os.abort()"
    )
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, **harness.env}
        subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, check=False)
        key = harness.key.encode()
        return any(key in path.read_bytes() for path in Path(folder).glob("core*"))


def values(url: str) -> Iterator[tuple[str, bytes]]:
    """Every value of every table as bytes, with its table and column; packed texts unpacked too.
    A database that is gone has none."""
    codec = Codec()
    try:
        with connected(url) as connection:
            for table in inspect(connection).get_table_names():
                result = connection.execute(text(f'SELECT * FROM "{table}"'))
                names = list(result.keys())
                for row in result:
                    for name, value in zip(names, row, strict=True):
                        for data in _as_bytes(value, codec):
                            yield f"{table}.{name}", data
    except FileNotFoundError:
        return


def _as_bytes(value: object, codec: Codec) -> Iterable[bytes]:
    if value is None:
        return
    if not isinstance(value, bytes | memoryview | bytearray):
        yield str(value).encode("utf-8", "surrogatepass")
        return
    raw = bytes(value)
    yield raw
    if raw:
        try:
            # An answer's checksum covers the action too, which is in another table.
            bare = raw[1:-4] if raw[0] & CHECKED else raw[1:]
            yield codec._decompressed(bare, raw[0] & SECOND) if raw[0] & COMPRESSED else bare
        except Exception:
            # Hashes and originals of texts are no packed texts.
            return


def _provoked(harness: Harness, kind: Kind, errors: int) -> Iterator[Row]:
    """Runs against a provider that repeats the key, until it has done so in every way."""
    with harness.service(f"{PART}-{kind}") as service:
        scene = Scene(
            harness, service, PART, "echo", kind,
            mode="echo", games=50, concurrency=1, attempts=50, llm={"retries": 1, "patience": 5},
        )  # fmt: skip
        codes: Counter[int] = Counter()
        hung = 0
        for _ in range(MOST_RUNS):
            command = scene.start()
            if command.running(LONGEST_RUN):
                hung += 1
                command.signal()
            codes[command.wait().code] += 1
            if len(scene.books().requests) >= errors:
                break
        for look in (("games", "--json"), ("games",), ("show", "1"), ("show", "1", "--json")):
            harness.commands.run(*look, "--db", scene.url)
        frames = harness.folder / "exports"
        frames.mkdir(exist_ok=True)
        _export(scene.url, frames / f"{scene.lane}.csv")
        yield Row(
            PART,
            f"{scene.label}: errors that repeated the key",
            len(scene.books().requests),
            promised=errors,
            bound="at least",
            note=f"exit codes {dict(codes)}",
        )
        yield Row(PART, f"{scene.label}: runs against it that did not end", hung, promised=0)


def _export(url: str, path: Path) -> None:
    from arena.analysis import calls_df

    with path.open("w", errors="surrogatepass") as file:
        calls_df(url, messages=True).to_csv(file)
