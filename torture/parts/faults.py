"""A provider that fails 30 % of all calls, in every known way (`tests.servers.faulty`), and those
that answer nobody until something is mended (`torture.unready`).

The first run is a process of its own, so that its memory is its own: what it holds after a
warm-up, and the most that it has held by the end.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers.faulty import ANSWERED, Logged, digest_of, read_log
from tests.servers.misbehaviour import ALL
from torture.databases import KINDS, LABELS, Kind, ask
from torture.harness import Harness, wait_for
from torture.rows import Row
from torture.scene import Scene
from torture.service import Service
from torture.tournaments import write
from torture.unready import UNREADY

PART = "faults"
# Of the requests that are misanswered; some of them all the same hold an answer, in an odd form,
# and after three failures in a row there is one. `FAILED` of all requests are to fail.
SHARE = 0.45
FAILED = 0.3
GAMES = 24
AT_ONCE = 12
TIMEOUT = 3.0  # seconds, for an attempt; a server that hangs does so for longer
WARM_UP = 120  # requests
MEMORY = 100.0  # MiB
# Of a provider that answers nobody: games at once, the requests after which one has loaded, and
# those after which a refusal that meets every call must have stopped the run: fewer than three
# attempts at each game take.
AT_A_TIME = 4
LOADING = 6
MOST_REFUSED = 10


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    rows: list[Row] = []
    for kind in KINDS[:1] if toy else KINDS:
        rows += _measure(harness, kind, 2 if toy else GAMES)
    rows += unready(harness, KINDS[:1] if toy else KINDS, [*UNREADY][:1] if toy else [*UNREADY])
    return rows


def unready(harness: Harness, kinds: Sequence[Kind], modes: Sequence[str]) -> list[Row]:
    """Runs against providers that answer nobody at first; each is resumed once that is mended."""
    rows: list[Row] = []
    with harness.service("unready") as service:
        for kind in kinds:
            for streamed in (False, True):
                rows += _mended(harness, service, kind, modes, streamed=streamed)
    return rows


def _mended(
    harness: Harness, service: Service, kind: Kind, modes: Sequence[str], *, streamed: bool
) -> Iterator[Row]:
    form = "streamed" if streamed else "whole"
    lost, asked, told = 0, 0, []
    for mode in modes:
        scene = Scene(
            harness, service, PART, f"{mode}-{form}", kind,
            mode=mode, games=AT_A_TIME, concurrency=AT_A_TIME,
            streamed=("one", "two") if streamed else (),
        )  # fmt: skip
        if UNREADY[mode].passes:
            command = scene.start_and_wait(LOADING)
            service.mend(scene.lane)
            codes = [command.wait().code]
        else:
            codes = [scene.go_on().ended.code]
            asked = max(asked, len(scene.books().requests))
            service.mend(scene.lane)
            codes.append(scene.go_on().ended.code)
        lost += scene.count("void") + AT_A_TIME - scene.count("completed")
        told.append(f"{mode} {' then '.join(map(str, codes))}")
        harness.say(f"{scene.label}, {form}: {told[-1]}, {len(scene.books().requests)} requests")
    name = f"{LABELS[kind]}: {form}, nobody is answered at first:"
    yield Row(
        PART, f"{name} games lost to a provider", lost, promised=0,
        note=f"exit codes: {', '.join(told)}",
    )  # fmt: skip
    yield Row(
        PART, f"{name} requests until a run stopped, the most", asked,
        promised=MOST_REFUSED, bound="at most",
    )  # fmt: skip


@contextmanager
def _server(harness: Harness, log: Path, seed: int) -> Iterator[str]:
    """The faulty server's process: its `api_base`."""
    options = ["--seed", str(seed), "--share", str(SHARE), "--hang", "20", "--log", str(log)]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.servers.faulty",
            *options,
            "--answer",
            "torture.server:legal",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def _measure(harness: Harness, kind: Kind, games: int) -> Iterator[Row]:
    name = f"faults-{kind}"
    log = harness.folder / "books" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    url = harness.databases.fresh(kind, name)
    with _server(harness, log, harness.seed + len(kind)) as api_base:
        config = write(
            harness.folder / "files",
            name,
            api_base,
            games=games,
            concurrency=AT_ONCE,
            llm={"timeout": TIMEOUT},
            streamed=["two"],
        )
        code, grown, held = _play(harness, config, url, log)
    logged = read_log(log)
    harness.say(f"{kind}: {len(logged)} requests, exit code {code}")
    yield from _rows(LABELS[kind], url, games, logged, code)
    yield Row(
        PART,
        f"{LABELS[kind]}: memory that it grew by after {WARM_UP} requests",
        grown,
        promised=MEMORY,
        bound="below",
        unit="MiB",
        note=f"{held:.0f} MiB after them",
    )


def _play(harness: Harness, config: Path, url: str, log: Path) -> tuple[int, float, float]:
    """Run a tournament: its exit code, the MiB that it grew by, and what it held before."""
    printed = harness.folder / "printed"
    printed.mkdir(exist_ok=True)
    paths = (printed / f"{config.stem}.out", printed / f"{config.stem}.err")
    with paths[0].open("w") as out, paths[1].open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "arena.cli", "run", str(config), "--db", url],
            env={**os.environ, **harness.env},
            stdout=out,
            stderr=err,
        )
    held, most = 0.0, 0.0

    def ended() -> bool:
        nonlocal held, most
        if not held and log.exists() and log.read_bytes().count(b"\n") >= WARM_UP:
            held = _memory(process.pid, "VmRSS")
        most = max(most, _memory(process.pid, "VmHWM"))
        return process.poll() is not None

    if not wait_for(ended, 1800, pause=0.1):
        process.kill()
    return process.wait(), max(0.0, most - held) if held else 0.0, held


def _memory(pid: int, field: str) -> float:
    """A field of a process' status in MiB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _rows(name: str, url: str, games: int, logged: list[Logged], code: int) -> Iterator[Row]:
    kinds = Counter(one.kind for one in logged if one.kind != ANSWERED)
    failed = sum(1 for one in logged if not one.answered)
    yield Row(
        PART,
        f"{name}: share of the requests that failed",
        failed / len(logged),
        promised=FAILED,
        bound="at least",
        note=f"{failed} of {len(logged):,}; {kinds.total()} misanswered in {len(kinds)} of "
        f"{len(ALL)} ways",
    )
    finished = ask(url, "SELECT COUNT(*) FROM games WHERE status = 'completed'")[0][0]
    void = ask(url, "SELECT COUNT(*) FROM games WHERE status = 'void'")[0][0]
    yield Row(PART, f"{name}: games finished", finished, promised=games, note=f"exit code {code}")
    yield Row(PART, f"{name}: games void", void, promised=0)
    sent = Counter(one.digest for one in logged)
    rows = _attempts(url)
    yield Row(
        PART,
        f"{name}: server hits that are no attempt's row",
        (sent - rows).total(),
        promised=0,
        note=f"{sent.total():,} hits",
    )
    yield Row(
        PART,
        f"{name}: attempts' rows that are no server hit",
        (rows - sent).total(),
        promised=0,
        note=f"{rows.total():,} rows",
    )


def _attempts(url: str) -> Counter[str]:
    """How often each request is on record, by the server's digest of its messages."""
    from sqlmodel import select

    from db import Game, get_session
    from db.queries.transcript import transcript

    with get_session(url, create=False) as session:
        return Counter(
            digest_of({"messages": call.messages})
            for game in session.exec(select(Game.id))
            for turn in transcript(session, game or 0)
            for call in turn.calls
        )
