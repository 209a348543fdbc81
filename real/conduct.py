"""Figures of how models behaved in the games on record."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Set
from typing import Any

from arena.core.memory import MEMORY
from arena.llm.shared_prefix import SharedPrefix
from db.queries.games import GameRow
from db.queries.transcript import TurnRow
from real.figures import Figure

# What notes look like where they do not belong: an object, its fields, or the headings of the
# messages that hold them and ask for them.
_NOTES = re.compile(
    r"""\A\s*(?:```\w*\s*)?[{]|["'](?:suspicions|claims|facts|plan)["']\s*:"""
    r"""|^\W*(?:your (?:notes|task)|task|notes)\b\W*(?:$|:)|^#+ *your (?:notes|task)\b""",
    re.IGNORECASE | re.MULTILINE,
)


Seats = Set[tuple[int, int]]
"""Players of games: (game_id, player_index)."""


def looks_like_notes(action: str) -> bool:
    """Whether an action is JSON, or repeats the headings around the notes."""
    return _NOTES.search(action) is not None


def form_missed(rows: Iterable[GameRow], played: Iterable[list[TurnRow]]) -> list[Figure]:
    """In how many turns of each agent the answer had not the form that its option names, so that
    all of it was the action."""
    names = {(row.game_id, seat.player_index): seat.agent for row in rows for seat in row.players}
    turns: dict[str, list[TurnRow]] = defaultdict(list)
    for game in played:
        for turn in game:
            if name := names.get((turn.game_id, turn.player_index)):
                turns[name].append(turn)
    return [
        Figure(name, sum("answer" in (turn.reading or {}) for turn in own), len(own))
        for name, own in sorted(turns.items())
    ]


def kinds_at_work(rows: Iterable[GameRow], played: Iterable[list[TurnRow]]) -> list[Figure]:
    """In how many of their turns kinds with a step of their own had something of it: beliefs that
    could be read, a draft that was changed, samples that agreed, key points from a game before."""
    kinds = {(row.game_id, seat.player_index): seat.kind for row in rows for seat in row.players}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for game in played:
        for turn in game:
            kind = kinds.get((turn.game_id, turn.player_index))
            if kind is not None and turn.action is not None:
                found[kind].append(turn.reading or {})
    learned = [reading[MEMORY] for reading in found["learning"] if MEMORY in reading]
    return [
        Figure(
            "turns whose beliefs were read, believing",
            sum("beliefs_read" not in reading for reading in found["believing"]),
            len(found["believing"]),
        ),
        Figure(
            "turns whose draft was changed, reviewing",
            sum(reading.get("draft") == "changed" for reading in found["reviewing"]),
            len(found["reviewing"]),
        ),
        Figure(
            "turns in which two of three samples agreed, sampling",
            sum(
                not str(reading.get("samples", "1 ")).startswith("1 ")
                for reading in found["sampling"]
            ),
            len(found["sampling"]),
        ),
        Figure(
            "games with key points from those before, learning",
            sum(bool(memory["kept"]["points"]) for memory in learned),
            len(learned),
        ),
    ]


def notes_kept(
    what: str, rows: Iterable[GameRow], agents: Set[str], least: float | None = None
) -> Figure:
    """How many of the notes that these agents rewrote could be read at least in part."""
    seats = [seat for row in rows for seat in row.players if seat.agent in agents]
    asked, lost = sum(seat.notes for seat in seats), sum(seat.notes_lost for seat in seats)
    return Figure(what, asked - lost, asked, least=least)


def prefix_shared(what: str, played: Iterable[list[TurnRow]], seats: Seats) -> Figure:
    """How many characters of the prompts begin a prompt that the same player sent before in the
    same game; `seats` are the players that are meant."""
    shared = total = 0
    for turns in played:
        players: dict[int, SharedPrefix] = defaultdict(SharedPrefix)
        for turn in turns:
            if (turn.game_id, turn.player_index) in seats:
                for call in turn.calls:
                    players[turn.player_index].add(call.messages)
        shared += sum(player.shared for player in players.values())
        total += sum(player.characters for player in players.values())
    return Figure(f"prompt characters shared, {what}", shared, total, least=0.65)
