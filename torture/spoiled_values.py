"""Spoils one value of a copy of a database, and looks at it in every way.

`python -m torture.spoiled_values FILE` reads a good SQLite file and does so until `--seconds` have
passed. What a look may do is say what is damaged, in a line; it may not end in a traceback, take
more than `MOST_MIB` beyond what the process had that it was forked from, or longer than `PATIENCE`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torture.spoiling import spoil

MOST_MIB = 1024
PATIENCE = 60
"""Seconds of a look."""
LARGEST_OUTPUT = 8 * 2**20
_CRASHED = 70
_MOST_ADDRESSES = 6 * 2**30  # bytes: what takes more ends with a MemoryError

# Every command that reads; {game} and {tournament} are ones of the file, {folder} is a new place.
LOOKS = (
    "games",
    "games --json",
    "show {game}",
    "show {game} --calls",
    "show {game} --json",
    "events {game}",
    "diff {game} {other}",
    "calls",
    "calls --json",
    "tournaments list",
    "tournaments list --json",
    "tournaments show {tournament}",
    "agents list",
    "agents list --json",
    "agents show {agent}",
    "models list",
    "models show {model}",
    "prompts list",
    "prompts show {prompt}",
    "prompts tree",
    "kinds list",
    "templates list",
    "annotations list",
    "annotations agreement",
    "suggestions list",
    "leaderboard",
    "leaderboard --json",
    "leaderboard --system probit",
    "leaderboard --by model",
    "head-to-head",
    "events {game} --json",
    "events types",
    "search vote",
    "search --json",
    "logs",
    "metrics",
    "metrics --json",
    "audit",
    "memory {agent}",
    "insights",
    "export {folder}/frames",
    "export {folder}/answers --for sft",
    "export {folder}/traces --for otlp",
    "export {folder}/logs --for inspect",
    "export --card {folder}/card.json --tournament {tournament}",
    "export --archive {folder}/all.zip --tournament {tournament}",
    "db verify",
    "db current",
    "db check",
    "replay {game} --check",
    "resume {tournament} --dry-run",
)
PAGES = "pages"
FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class Look:
    """How one look ended: its exit code (minus the signal that ended it), its peak memory beyond
    that of the process it was forked from, in MiB, its seconds, and its last words."""

    words: str
    code: int
    mib: float
    seconds: float
    printed: int
    last_words: str

    @property
    def fault(self) -> str | None:
        """What no look may do."""
        if self.code not in (0, 1, 2):
            return f"ended with {self.code}: {self.last_words}"
        if "Traceback (most" in self.last_words:
            return f"traceback: {self.last_words}"
        if self.printed > LARGEST_OUTPUT:
            return f"printed {self.printed / 2**20:.0f} MiB"
        if self.mib > MOST_MIB:
            return f"took {self.mib:.0f} MiB"
        return None


def in_fork(words: str, run: Callable[[], None], folder: Path) -> Look:
    """Run it in a child: what it printed is in `folder`."""
    output = folder / "printed"
    output.unlink(missing_ok=True)
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = _CRASHED
        try:
            opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(opened, 1)
            os.dup2(opened, 2)
            sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
            sys.stderr = os.fdopen(2, "w", 1, "utf-8", errors="backslashreplace", closefd=False)
            signal.alarm(PATIENCE)
            resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))
            run()
            code = 0
        except SystemExit as leave:
            code = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)
    _, status, used = os.wait4(pid, 0)
    size = output.stat().st_size if output.exists() else 0
    with output.open("rb") as file:
        file.seek(max(0, size - 1500))
        said = file.read().decode("utf-8", "replace")
    code = os.waitstatus_to_exitcode(status)
    mib = (used.ru_maxrss - _own_peak()) / 1024
    return Look(words, code, mib, time.monotonic() - began, size, said)


def _own_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def looks_at(
    file: Path, known: dict[str, str], folder: Path, chosen: Sequence[str]
) -> Iterator[Look]:
    """The chosen looks at a file, one after another."""
    for words in chosen:
        shutil.rmtree(folder / "new", ignore_errors=True)
        (folder / "new").mkdir()
        if words == PAGES:
            yield in_fork(words, lambda: _pages(file), folder)
        elif words == FRAMES:
            yield in_fork(words, lambda: _frames(file), folder)
        else:
            names = known | {"folder": str(folder / "new")}
            typed = [word.format(**names) for word in words.split()]
            yield in_fork(words, lambda typed=typed: _command(typed, file), folder)  # type: ignore[misc]


def _command(typed: Sequence[str], file: Path) -> None:
    from arena.cli import main

    sys.argv = ["arena", *typed, "--db", str(file)]
    main()


def _frames(file: Path) -> None:
    import arena.analysis as analysis
    from arena.core import ArenaError
    from db.errors import DatabaseError

    for name in analysis.__all__:
        if name.endswith("_df") and name not in ("comparison_df",):
            try:
                getattr(analysis, name)(file)
            except (ArenaError, DatabaseError) as error:
                print(name, str(error)[:300])
            except Exception:
                print(name)
                raise


def _pages(file: Path) -> None:
    """Every page that links lead to from the first one, a few of each kind, through the whole
    application; a page that could not be made is a fault."""
    import asyncio
    import re
    from collections import Counter

    import httpx

    from arena.viewer.app import ROUTES, application
    from arena.viewer.boards import BoardWorker
    from db import Database

    with (
        Database(file, read_only=True) as database,
        Database(file) as writable,
        closing(BoardWorker(writable)) as worker,
    ):
        app = application(database, worker, token="spoiled", port=1)
        from starlette.routing import compile_path

        patterns = [compile_path(path)[0] for path, _ in ROUTES]

        async def walk() -> None:
            transport: Any = httpx.ASGITransport(app)
            headers = {"cookie": "arena_1=spoiled"}
            waiting = [re.sub(r"{.*", "1", path) for path, _ in ROUTES]
            seen, shapes = {*waiting}, Counter[Any]()
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:1", headers=headers
            ) as client:
                while waiting:
                    path = waiting.pop()
                    answer = await client.get(path)
                    if answer.status_code == 500:
                        raise RuntimeError(f"{path}: {answer.text[-300:]}")
                    if len(answer.content) > LARGEST_OUTPUT:
                        raise RuntimeError(f"{path}: {len(answer.content)} bytes")
                    for link in re.findall(r'<a[^>]* href="(/[^"#]*)', answer.text):
                        link = link.replace("&amp;", "&")
                        place = link.partition("?")
                        shape = (
                            next((n for n, p in enumerate(patterns) if p.match(place[0])), -1),
                            frozenset(re.findall(r"([^=&]+)=", place[2])),
                        )
                        if link not in seen and shapes[shape] < 1:
                            seen.add(link)
                            shapes[shape] += 1
                            waiting.append(link)

        asyncio.run(walk())


def known_in(file: Path) -> dict[str, str]:
    """What the looks name."""
    with closing(sqlite3.connect(file)) as connection:

        def one(query: str) -> str:
            return str((connection.execute(query).fetchone() or ("1",))[0])

        return {
            "game": one("SELECT max(id) FROM games WHERE status = 'completed'"),
            "other": one("SELECT min(id) FROM games WHERE status = 'completed'"),
            "tournament": one("SELECT name FROM tournaments"),
            "agent": one("SELECT alias FROM agents"),
            "model": one("SELECT name FROM models"),
            "prompt": one("SELECT name FROM prompts"),
        }


def warm() -> None:
    """Import what the looks need; nothing that starts a thread."""
    from torture import zygote

    zygote.warm()
    import arena.analysis.export
    import arena.viewer.app  # noqa: F401


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m torture.spoiled_values")
    parser.add_argument("database", type=Path)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="only this one")
    parser.add_argument("--looks", type=int, default=12, help="at each spoiled file")
    options = parser.parse_args(arguments)
    warm()
    until = time.monotonic() + options.seconds
    number = cases = looked = faults = 0
    worst: dict[str, tuple[float, str]] = {"mib": (0, ""), "seconds": (0, "")}
    known = known_in(options.database)
    with tempfile.TemporaryDirectory(prefix="arena-spoiled-") as made:
        folder = Path(made)
        file = folder / "spoiled.db"
        while time.monotonic() < until:
            number += 1
            if options.case:
                number = options.case
                until = 0
            rng = random.Random(f"{options.seed} {number}")
            for old in folder.glob("spoiled.db*"):
                old.unlink()
            shutil.copyfile(options.database, file)
            done = spoil(file, rng)
            if done is None:
                continue
            cases += 1
            chosen = rng.sample(LOOKS, min(options.looks, len(LOOKS)))
            chosen += [FRAMES] * (number % 3 == 0) + [PAGES] * (number % 6 == 0)
            for look in looks_at(file, known, folder, chosen):
                looked += 1
                for name in worst:
                    worst[name] = max(worst[name], (getattr(look, name), f"{look.words} {done}"))
                if look.fault:
                    faults += 1
                    print(f"\n# case {number} {done}\n  {look.words}: {look.fault}", flush=True)
                elif options.case:
                    print(look)
    print(
        f"{cases} spoiled files, {looked} looks, {faults} faults; at most "
        f"{worst['mib'][0]:.0f} MiB more than before ({worst['mib'][1]}), "
        f"{worst['seconds'][0]:.1f} s ({worst['seconds'][1]})"
    )
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
