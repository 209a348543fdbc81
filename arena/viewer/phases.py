"""The phases of a game as a page names and colours them."""

from __future__ import annotations

from dataclasses import dataclass

from arena.viewer.seen import SeenGame


@dataclass(frozen=True, slots=True)
class GamePhase:
    """A phase: `Night 1`, how it looks (night, vot, day or plain), and the day as the game counts
    it."""

    label: str
    look: str
    day: int | None = None


def phase_of(day: int | None, name: str | None) -> GamePhase:
    """A phase by its own name."""
    lower = (name or "").lower()
    look = next((look for look in ("night", "vot", "day") if look in lower), "plain")
    named = {"night": "Night", "vot": "Vote", "day": "Day"}.get(look, name or "")
    label = " ".join(part for part in (named, "" if day is None else str(day)) if part)
    return GamePhase(label or "Game", look, day)


def phases(game: SeenGame) -> list[GamePhase]:
    """The phase of every turn that is seen: that of its events, else the one that had begun. What
    the rules refused is an event of no phase."""
    told: dict[int, GamePhase] = {}
    begun: dict[int, GamePhase] = {}
    following = 0
    for event in game.events:
        following = following if event.place is None else event.place + 1
        if event.day is None and event.phase is None:
            continue
        if event.kind == "phase":
            begun[following] = phase_of(event.day, event.phase)
        elif event.place is not None and event.source is not None:
            told.setdefault(event.place, phase_of(event.day, event.phase))
    found = []
    at = GamePhase("Game", "plain")
    for turn in game.turns:
        at = told.get(turn.place) or begun.get(turn.place) or at
        found.append(at)
    return found
