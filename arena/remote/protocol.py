"""What the arena and a program say to each other, in version 1: one JSON object a message.

The arena says `hello` and `observe`; a program answers the first with `hello` and the second with
`act`, or with `error`. One whose hello asks for it is told the `end` of its games. docs/remote-
agents.md tells the same to those who write programs. What a program sends is a stranger's: it is
bounded, parsed once, and every field that is used is checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import orjson

from arena.core import Message, text_of

VERSION = 1
PREFIX = "remote/"

# Bytes of one message from a program, and characters of what is kept of one that was no good.
MOST = 256 * 1024
SHOWN = 500
# Seconds for a program to say who it is.
HELLO = 10.0
# What a completion is marked with where the program failed and not the way to it.
MALFUNCTION = "malfunction"
SESSION = "session"

_NAMED = re.compile(
    r"remote/(?P<name>[A-Za-z0-9][\w.-]{0,63})@(?P<version>[\w.+-]{1,64})", re.ASCII
)
_SESSION = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Malfunction(Exception):
    """A program failed by itself: it crashed, hung, or said what is no answer."""


@dataclass(frozen=True, slots=True)
class ProgramName:
    """What a program says it is; another version is another agent. `ends` says whether it wants to
    be told how its games end."""

    name: str
    version: str
    ends: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class ProgramAction:
    """What a program did in a turn; `thoughts` as far as it tells them."""

    action: str
    thoughts: str | None = None


def program_of(litellm_model: str) -> ProgramName | None:
    """The program that a model names, `remote/NAME@VERSION`; None where it names none."""
    found = _NAMED.fullmatch(litellm_model)
    return None if found is None else ProgramName(found["name"], found["version"])


def hello() -> dict[str, Any]:
    """What the arena says first."""
    return {"type": "hello", "protocol": VERSION}


def observe(messages: Sequence[Message], session: str | None, fresh: str) -> dict[str, Any]:
    """What a program is told in a turn, from the two messages of the kind `remote`. Raises
    ValueError for messages of another kind.

    `session` and `fresh` are those that the conversation has, and that it begins with where it has
    none. The turn's id is the same for the same turn, however often it is asked.
    """
    try:
        place = orjson.loads(text_of(messages[0]))
        text = text_of(messages[1])
        told = {name: place[name] for name in ("environment", "player_index", "num_players")}
        number, new = int(place["turn_number"]), place["new"]
        new = text[len(text) - new :] if isinstance(new, int) else str(new)
        instructions = str(place.get("instructions", ""))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError("expected the messages of the kind `remote`") from error
    session = session or fresh
    turn = blake2b(f"{session}/{number}/{text}".encode(), digest_size=16).hexdigest()
    return {
        "type": "observe",
        "protocol": VERSION,
        "session": session,
        "turn": turn,
        **told,
        "turn_number": number,
        "observation": text,
        "new": new,
        "instructions": instructions,
    }


def end(messages: Sequence[Message]) -> dict[str, Any]:
    """What a program is told when a game of its has a result, from the message of the kind
    `remote`. The turn's id is one of no turn, to be repeated in the answer."""
    place = orjson.loads(text_of(messages[0]))
    session = place[SESSION]
    names = ("environment", "player_index", "num_players", "result", "rank", "termination")
    return {
        "type": "end",
        "protocol": VERSION,
        "session": session,
        "turn": blake2b(f"{session}/end".encode(), digest_size=16).hexdigest(),
        **{name: place[name] for name in names},
    }


def session_in(messages: Sequence[Message]) -> str | None:
    """The session that a conversation of the kind `remote` belongs to; None before its first
    answer."""
    try:
        found = orjson.loads(text_of(messages[0])).get(SESSION)
    except (AttributeError, IndexError, ValueError):
        return None
    return found if isinstance(found, str) and _SESSION.fullmatch(found) else None


def read_hello(body: bytes) -> ProgramName:
    """Who a program says it is. Raises Malfunction."""
    said = _read(body, "hello")
    if said.get("protocol") != VERSION:
        raise Malfunction(f"it speaks protocol {_shown(said.get('protocol'))}; expected {VERSION}")
    name, version = said.get("name"), said.get("version")
    named = isinstance(name, str) and isinstance(version, str)
    found = program_of(f"{PREFIX}{name}@{version}") if named else None
    if found is None:
        raise Malfunction(
            f"its hello names {_shown(name)} in version {_shown(version)}; "
            "expected a name and a version of letters, digits, '.', '-' and '_'"
        )
    return replace(found, ends=said.get("end") is True)


def read_act(body: bytes, turn: str) -> ProgramAction:
    """What a program did in a turn. Raises Malfunction for anything else than one action for this
    turn."""
    said = _read(body, "act")
    if said.get("turn") != turn:
        raise Malfunction(
            f"it answered turn {_shown(said.get('turn'))}; it was asked for turn {turn!r}"
        )
    action, thoughts = said.get("action"), said.get("thoughts")
    if not isinstance(action, str):
        raise Malfunction(f"its action is {_shown(action)}; expected a string")
    if thoughts is not None and not isinstance(thoughts, str):
        raise Malfunction(f"its thoughts are {_shown(thoughts)}; expected a string")
    return ProgramAction(action, thoughts)


def _read(body: bytes, expected: str) -> Mapping[str, Any]:
    if len(body) > MOST:
        raise Malfunction(f"it sent more than {MOST // 1024} KiB in one message")
    try:
        said = orjson.loads(body)
    except ValueError as error:
        raise Malfunction(f"it sent no JSON ({error}): {_shown(body)}") from None
    if not isinstance(said, dict):
        raise Malfunction(f"it sent {_shown(said)}; expected a JSON object")
    if said.get("type") == "error":
        raise Malfunction(f"it reports an error: {_shown(said.get('message'))}")
    if said.get("type") != expected:
        raise Malfunction(f"it sent the type {_shown(said.get('type'))}; expected {expected!r}")
    return said


def _shown(value: object) -> str:
    """A little of what a program sent, with nothing that a terminal or a database would mind."""
    if isinstance(value, bytes):
        value = value[: 4 * SHOWN].decode("utf-8", "replace")
    text = value if isinstance(value, str) else repr(value)
    cut = text[:SHOWN]
    return ascii(cut) if not cut.isprintable() else repr(cut)
