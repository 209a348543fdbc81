"""What an agent has written down about a game: a small JSON object, bounded and never trusted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from arena.llm.lenient_json import FoundObject, find_object

FIELDS = frozenset({"suspicions", "claims", "facts", "plan"})


def _list(**fields: str) -> dict[str, Any]:
    """Strict schemas know no objects with keys of one's own choice."""
    one = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }
    return {"type": "array", "items": one}


SCHEMA: Mapping[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "notes",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "suspicions": _list(player="integer", suspicion="number"),
                "claims": _list(player="integer", claim="string"),
                "facts": {"type": "array", "items": {"type": "string"}},
                "plan": {"type": "string"},
            },
            "required": ["suspicions", "claims", "facts", "plan"],
            "additionalProperties": False,
        },
    },
}
"""The notes as a provider's `response_format`."""

_ENTRY = 240  # characters of one fact, claim or plan
_ENTRIES = 24  # facts, claims or suspicions

_LONGEST = 20_000  # characters of an answer that are looked at
_HEAD = re.compile(
    r"^[ \t#*>-]*(?P<name>suspicions|claims|facts|plan)\b[ \t*_]*(?::[ \t*_]*|$)",
    re.IGNORECASE | re.MULTILINE,
)
_BULLET = re.compile(r"^[ \t]*(?:[-*•]|\d+[.)])[ \t]+", re.MULTILINE)
_NOTHING = re.compile(r"<[^<>]*>|(?:none|nothing|n/a|unknown)(?: yet)?[.!]?", re.IGNORECASE)
_PAIR = re.compile(r"\s*[\[(]?\s*([^:=\n]{1,40}?)\s*[\])]?\s*(?::|=|->|→| is )\s*(.+)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_PLAYER = re.compile(r"\W*(?:player|p)?\s*[#_]?\s*(\d+)\W*", re.IGNORECASE)
_LEVELS = (
    (re.compile(r"\b(?:certain|confirmed|definite(?:ly)?|sure)\b"), 1.0),
    (re.compile(r"\b(?:very high|very likely|very suspicious)\b"), 0.9),
    (re.compile(r"\b(?:none|no|not|innocent|cleared|trusted|zero)\b"), 0.0),
    (re.compile(r"\b(?:high|likely|suspicious|mafia|yes|true)\b"), 0.8),
    (re.compile(r"\b(?:medium|moderate|neutral|maybe|possible|unsure|unknown)\b"), 0.5),
    (re.compile(r"\b(?:low|unlikely|slight(?:ly)?|little)\b"), 0.2),
)


@dataclass(frozen=True, slots=True)
class Notes:
    """`suspicions`: player to 0..1; `claims`: player to what it says it is; `facts`, oldest first;
    `plan`: what to do next."""

    suspicions: Mapping[str, float] = field(default_factory=dict)
    claims: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    plan: str = ""

    def render(self) -> str:
        """The notes as JSON, on one line for each field."""
        fields = {
            "suspicions": dict(self.suspicions),
            "claims": dict(self.claims),
            "facts": list(self.facts),
            "plan": self.plan,
        }
        lines = [f"  {json.dumps(name)}: {_json(value)}" for name, value in fields.items()]
        return "{\n" + ",\n".join(lines) + "\n}"

    def within(self, limit: int) -> Notes:
        """The notes in at most `limit` characters: the oldest facts go first, then the claims,
        the plan and the suspicions."""
        notes = self
        while len(notes.render()) > limit and notes.facts:
            notes = Notes(notes.suspicions, notes.claims, notes.facts[1:], notes.plan)
        for smaller in (
            Notes(notes.suspicions, {}, notes.facts, notes.plan),
            Notes(notes.suspicions, {}, notes.facts, ""),
            Notes(),
        ):
            if len(notes.render()) <= limit:
                break
            notes = smaller
        return notes


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Notes as a model rewrote them. `cut`: it did not come to their end; `kept` are the fields
    that came in no shape of theirs, or not at all, and stayed as they were."""

    notes: Notes
    cut: bool = False
    kept: tuple[str, ...] = ()


def rewritten(text: str, old: Notes) -> Rewritten | None:
    """The notes in a model's answer, in the place of the `old` ones; None where it holds none of
    their fields in any shape that can be read."""
    found = find_object(text, FIELDS) or _sections(text)
    if found is None:
        return None
    fields = {str(name).lower(): value for name, value in found.value.items()}
    values: dict[str, Any] = {}
    for name, read in _READERS.items():
        value = read(fields.get(name))
        if value is not None:
            values[name] = value
    if not values:
        return None
    kept = tuple(name for name in _READERS if name not in values)
    last = next(reversed(fields))
    if not found.whole and last in values:
        values[last] = _joined(getattr(old, last), values[last])
    return Rewritten(replace(old, **values), not found.whole, kept)


def _sections(text: str) -> FoundObject | None:
    """Notes as paragraphs, each behind the name of its field: `Plan: vote [3]`."""
    heads = list(_HEAD.finditer(text[:_LONGEST]))
    if len(heads) < 2 and not (heads and heads[0][0].rstrip().endswith(":")):
        # One word at the head of a line is no notes.
        return None
    ends = [head.start() for head in heads[1:]] + [len(text)]
    fields = {
        head["name"].lower(): _BULLET.sub("", text[head.end() : end]).strip()
        for head, end in zip(heads, ends, strict=True)
    }
    return FoundObject(fields, 0, len(text), whole=True)


def _joined(old: Any, new: Any) -> Any:
    """A field that was cut: what its rewriting had no room for stays."""
    if isinstance(new, dict):
        return dict([*{**old, **new}.items()][-_ENTRIES:])
    if isinstance(new, tuple):
        return (*(fact for fact in old if fact not in new), *new)[-_ENTRIES:]
    return new


def _suspicions(value: Any) -> dict[str, float] | None:
    pairs = _pairs(value, ("suspicion", "score", "probability", "level", "value"))
    if pairs is None:
        return None
    known = {player: much for player, each in pairs if (much := _much(each)) is not None}
    if pairs and not known:
        return None
    # Some count to 10, or in percent.
    most = max(known.values(), default=0.0)
    scale = 1.0 if most < 2 else next((top for top in (10.0, 100.0) if most <= top), most)
    return {player: min(1.0, max(0.0, much / scale)) for player, much in known.items()}


def _much(value: Any) -> float | None:
    """How much a suspicion is, on any scale."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, list):
        return next((much for each in value if (much := _much(each)) is not None), None)
    if isinstance(value, dict):
        return next((much for each in value.values() if (much := _much(each)) is not None), None)
    if not isinstance(value, str):
        return None
    if (number := _NUMBER.search(value)) is not None:
        much = float(number[0])
        over = re.match(r"\s*/\s*(\d+)", value[number.end() :])
        if over is not None and int(over[1]):
            return much / int(over[1])
        return much / 100 if re.match(r"\s*%", value[number.end() :]) else much
    return next((much for words, much in _LEVELS if words.search(value.lower())), None)


def _claims(value: Any) -> dict[str, str] | None:
    pairs = _pairs(value, ("claim", "role", "claims", "value"))
    if pairs is None:
        return None
    claims = {player: text for player, claim in pairs if (text := _text(claim))}
    return None if pairs and not claims else claims


def _pairs(value: Any, names: tuple[str, ...]) -> list[tuple[str, Any]] | None:
    """(player, what is noted of it), from an object, a list of objects, pairs or lines, or a
    text; None for anything else."""
    if isinstance(value, str):
        value = [line for line in re.split(r"[\n;,]", value) if line.strip()]
        if not value:
            return None
    if isinstance(value, dict):
        found = list(value.items())
    elif isinstance(value, list):
        found = [pair for each in value if (pair := _pair(each, names)) is not None]
        if value and not found:
            return None
    else:
        return None
    pairs = [(_player(player), noted) for player, noted in found if _text(player)][:_ENTRIES]
    return None if found and not pairs else pairs


def _pair(value: Any, names: tuple[str, ...]) -> tuple[Any, Any] | None:
    if isinstance(value, str):
        found = _PAIR.fullmatch(value)
        return None if found is None else (found[1], found[2])
    if isinstance(value, list) and len(value) >= 2:
        return value[0], value[1]
    if isinstance(value, dict):
        player = next((value[key] for key in ("player", "name", "id") if key in value), None)
        noted = next((value[key] for key in names if key in value), None)
        if player is not None and noted is not None:
            return player, noted
        if len(value) == 1:
            return next(iter(value.items()))
    return None


def _player(player: Any) -> str:
    """Players by their number, where they have one: `Player 3` is `3`."""
    text = _text(player)
    found = _PLAYER.fullmatch(text)
    return found[1] if found else text


def _facts(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        value = value.splitlines()
    elif isinstance(value, dict):
        value = [f"{name}: {_text(fact)}" for name, fact in value.items()]
    if not isinstance(value, list):
        return None
    facts = tuple(fact for fact in map(_text, value[-_ENTRIES:]) if fact)
    return None if value and not facts else facts


def _plan(value: Any) -> str | None:
    if value is None:
        return None
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        text = " ".join(value.split())[:_ENTRY]
        # The form that it was asked for, not filled in, or nothing to fill in.
        return "" if _NOTHING.fullmatch(text) else text
    if isinstance(value, bool | int | float):
        return str(value)[:_ENTRY]
    if isinstance(value, list):
        return "; ".join(filter(None, map(_text, value)))[:_ENTRY]
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(each)}" for name, each in value.items())[:_ENTRY]
    return ""


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "suspicions": _suspicions,
    "claims": _claims,
    "facts": _facts,
    "plan": _plan,
}
