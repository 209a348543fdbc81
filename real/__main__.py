"""Plays short tournaments with two real models on this machine, and prints how they were read."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from arena.orchestrator import run
from db import Database
from db.queries.games import GameRow, games
from db.queries.transcript import TurnRow
from real import conduct, reading, record
from real.figures import Figure, as_text
from real.games import (
    NOTES_BY_SCHEMA,
    NOTES_BY_TEXT,
    NOTES_TOKENS,
    TOURNAMENTS,
    EarlierTurn,
    played_as_before,
    tournament,
)
from real.server import serving
from real.wire import Wire, wiretap

MODELS = ("smollm2", "gemma3")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m real", description=__doc__)
    parser.add_argument("--games", type=int, default=6, help="games of each tournament")
    parser.add_argument("--keep", type=Path, help="a new folder for databases and servers' logs")
    parser.add_argument("--no-models", action="store_true", help="only how given texts are read")
    options = parser.parse_args(arguments)
    figures = reading.figures()
    print(as_text("How given texts are read", figures), flush=True)
    if not options.no_models:
        with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
            folder: Path = options.keep or Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            servers = {model: stack.enter_context(serving(model, folder)) for model in MODELS}
            for title, found in asyncio.run(_played(servers, folder, options.games)):
                print(as_text(title, found), flush=True)
                figures += found
    return 1 if any(figure.met is False for figure in figures) else 0


async def _played(
    servers: dict[str, str], folder: Path, count: int
) -> list[tuple[str, list[Figure]]]:
    file = folder / "real.db"
    async with AsyncExitStack() as stack:
        wires = {
            model: await stack.enter_async_context(wiretap(url)) for model, url in servers.items()
        }
        urls = {model: wire.url for model, wire in wires.items()}
        configs = {name: tournament(name, urls, count) for name in TOURNAMENTS}
        for name, config in configs.items():
            _tell(f"{name}: {count} games between {len(config.agents)} agents")
            await run(config, url=file)
        kept = record.turns_of(file)
        compared = _record(kept, file, wires, servers, folder)
        rows = _games(file)
        _tell("mafia: the same games under earlier versions")
        mafia = [row for row in rows if row.tournament == "mafia"]
        earlier = await played_as_before(configs["mafia"], mafia)
    modes = conduct.form_missed((row for row in rows if row.tournament == "modes"), kept)
    thinkers = [row for row in rows if row.tournament == "kinds"]
    return [
        ("What is on record", compared),
        ("How real models were read", _kinds(rows, kept, earlier)),
        ("Answers without the form of the option `answer`", modes),
        ("What the kinds came to", conduct.kinds_at_work(thinkers, kept)),
    ]


def _tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {what} ...", file=sys.stderr, flush=True)


def _games(file: Path) -> list[GameRow]:
    with Database(file) as database, database.session(create=False) as session:
        return games(session)


def _record(
    kept: list[list[TurnRow]],
    file: Path,
    wires: dict[str, Wire],
    servers: dict[str, str],
    folder: Path,
) -> list[Figure]:
    calls = record.calls_of(kept, file)
    seen = [exchange for wire in wires.values() for exchange in wire.exchanges]
    return [
        Figure(
            "calls that differ from the wire", record.differing(calls, seen), len(calls), most=0
        ),
        Figure(
            "prompts that differ from the server's own log",
            record.unlike_prompts(calls, servers, folder),
            len(calls),
            most=0,
        ),
    ]


def _kinds(
    rows: list[GameRow], played: list[list[TurnRow]], earlier: list[EarlierTurn]
) -> list[Figure]:
    seats = {
        kind: {
            (row.game_id, seat.player_index)
            for row in rows
            for seat in row.players
            if seat.kind == kind and row.tournament != "kinds"
        }
        for kind in ("thinking", "remembering")
    }
    small = {
        (row.game_id, seat.player_index)
        for row in rows
        for seat in row.players
        if seat.model == "smollm2" and row.tournament == "mafia"
    }
    turns = [turn for game in played for turn in game if turn.action is not None]
    noted = [t for t in turns if (t.game_id, t.player_index) in seats["remembering"]]
    old = [turn for turn in earlier if turn.kind == "remembering"]
    own = [turn for turn in turns if (turn.game_id, turn.player_index) in small]
    before = [turn for turn in earlier if turn.model == "smollm2"]
    return [
        conduct.notes_kept(
            f"notes kept at {NOTES_TOKENS} tokens, by schema", rows, NOTES_BY_SCHEMA, 0.95
        ),
        conduct.notes_kept(f"notes kept at {NOTES_TOKENS} tokens, by text", rows, NOTES_BY_TEXT),
        Figure(
            "actions that are JSON or headings, remembering",
            sum(conduct.looks_like_notes(turn.action or "") for turn in noted),
            len(noted),
            most=0.03,
        ),
        Figure(
            "the same in version 1",
            sum(conduct.looks_like_notes(turn.action) for turn in old),
            len(old),
        ),
        conduct.prefix_shared("thinking", played, seats["thinking"]),
        conduct.prefix_shared("remembering", played, seats["remembering"]),
        Figure(
            "illegal actions in Secret Mafia, smollm2", sum(turn.invalid for turn in own), len(own)
        ),
        Figure("the same in version 1", sum(turn.invalid for turn in before), len(before)),
    ]


if __name__ == "__main__":
    sys.exit(main())
