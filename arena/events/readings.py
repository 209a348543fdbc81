"""What a reader made of the speeches of a game, as events behind each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from arena.core import Event
from arena.core.readers import Cast, Speech, SpeechReading
from arena.readers.rules import read_by_rules

RULES = "rules"
"""The reader of every game that is played, as events name it: it needs nobody else."""


def speeches(events: Sequence[Event], said: Mapping[int, str]) -> list[Speech]:
    """The speeches among the events of a game, in order; `said` are the actions by turn."""
    return [
        Speech(event.turn, event.source, said.get(event.turn, ""), event.day, event.phase)
        for event in events
        if event.kind == "speech" and event.turn is not None and event.source is not None
    ]


def with_readings(
    events: Sequence[Event], read: Sequence[Sequence[SpeechReading]], cast: Cast, reader: str
) -> list[Event]:
    """The events with what each speech was read to say behind it: `read` has one entry for each of
    `speeches`. Raises TypeError and ValueError for what no speech can say in this cast."""
    left = iter(read)
    found: list[Event] = []
    for event in events:
        found.append(event)
        if event.kind == "speech" and event.turn is not None and event.source is not None:
            for reading in next(left):
                data = {**_checked(reading, event.source, cast), "reader": reader}
                found.append(replace(event, kind=reading.kind, target=reading.target, data=data))
    return found


def read_by_the_rules(events: Sequence[Event], said: Mapping[int, str], cast: Cast) -> list[Event]:
    """The events with what the rules read in their speeches."""
    if not cast.role_names:
        return list(events)
    read = [read_by_rules(speech, cast) for speech in speeches(events, said)]
    return with_readings(events, read, cast, RULES)


def _checked(reading: SpeechReading, speaker: int, cast: Cast) -> dict[str, Any]:
    """The data of its event, but for the reader."""
    if not isinstance(reading, SpeechReading):
        raise TypeError(f"a reader gave {type(reading).__name__}; expected SpeechReading")
    target = reading.target
    if target is not None and (
        type(target) is not int or not 0 <= target < len(cast.roles) or target == speaker
    ):
        raise ValueError(f"{reading}: the target is no other player of the game")
    named = [name for name in (reading.role, reading.team) if name is not None]
    if reading.kind == "accusation":
        if named or reading.denies or target is None:
            raise ValueError(f"{reading}: an accusation has a target and nothing else")
        return {}
    if reading.kind != "claim":
        raise ValueError(f"{reading}: expected the kind claim or accusation")
    if reading.role not in (None, *cast.roles) or reading.team not in (None, *cast.teams):
        raise ValueError(f"{reading}: the game has no such role or team")
    if not named:
        raise ValueError(f"{reading}: a claim names a role or a team")
    what = {"role": reading.role, "team": reading.team}
    data: dict[str, Any] = {name: value for name, value in what.items() if value is not None}
    return {**data, "denies": True} if reading.denies else data
