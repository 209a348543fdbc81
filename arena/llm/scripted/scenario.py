"""A scenario as one seat sees it, read from the visible text; what its policies share."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.core import Message, Policy
from arena.llm.scripted.conversation import read, write_notes

_OPENING = "[GAME] Scenario: "
_SCHEMA = "Answer with one JSON object of this schema: "
_PLAYS = re.compile(r"\nYou (?:play (.+)|are the referee)\.")
_LINE = re.compile(r"^\[([^\]\n]+)\] (.*(?:\n\| .*)*)", re.MULTILINE)
_VALUE = re.compile(
    r"^- \[([^\]:\n]+): VALUE\], (.+?); (agreed|voted) on (?:by (.+?);)?", re.MULTILINE
)
_RANGE = re.compile(r"from (-?[\d.]+) to (-?[\d.]+)$")
_WORTH = re.compile(r"^- ([^:\n]+): ((?:[-+][\d.]+ (?:at|for) .+))$", re.MULTILINE)
_POINT = re.compile(r"([-+][\d.]+) (at|for) ([^,\n]+)")
_STATED = re.compile(r"\[([^\]:\n]+): ?([^\]\n]+)\]")
_SETTLED = re.compile(r"^\[GAME\] (.+) is settled by ", re.MULTILINE)
_EXHIBIT = re.compile(r"\bexhibit [a-z]\b", re.IGNORECASE)
_CAST = re.compile(r"^- ([^,\n\[]+)(?:,|$)", re.MULTILINE)

SMALL_TALK = (
    "I would like to hear more.",
    "Let us see what we can do here.",
    "That is one way to look at it.",
    "I have said what I think.",
)


@dataclass(frozen=True, slots=True)
class OpenValue:
    """A value that is not settled: `options` it may have, or the numbers `low` to `high`; `worth`
    are points by option or number, none where nothing counts; `mine` is whether this seat states
    it, `theirs` what others have stated last, the latest first."""

    name: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    worth: tuple[tuple[str, float], ...] = ()
    mine: bool = True
    theirs: tuple[str, ...] = ()

    def at_stake(self) -> float:
        """The most points that it can make a difference of."""
        points = [each for _, each in self.worth]
        return max(points) - min(points) if points else 0.0

    def share(self, stated: str) -> float:
        """Which share of the points at stake a statement is worth, from 0 to 1; 1 where nothing
        is at stake."""
        stake = self.at_stake()
        if not stake:
            return 1.0
        low = min(each for _, each in self.worth)
        return (self._points(stated) - low) / stake

    def _points(self, stated: str) -> float:
        known = dict(self.worth)
        if self.options:
            return known.get(stated, 0.0)
        points = sorted((float(number), each) for number, each in self.worth)
        number = float(stated)
        (first, at_first), (last, at_last) = points[0], points[-1]
        inside = min(max(number, first), last)
        return at_first + (inside - first) / ((last - first) or 1.0) * (at_last - at_first)

    def asking(self, share: float) -> str:
        """What is worth at least this share of the points at stake, and no more than needed."""
        if self.options:
            able = [option for option in self.options if self.share(option) >= share]
            return min(able, key=self.share) if able else max(self.options, key=self.share)
        if not self.at_stake():
            return f"{(self.low + self.high) / 2:.0f}"
        ends = sorted(self.worth, key=lambda point: point[1])
        worst, best = float(ends[0][0]), float(ends[-1][0])
        asked = min(max(worst + share * (best - worst), self.low), self.high)
        return f"{asked:.0f}"


@dataclass(frozen=True, slots=True)
class ScenarioView:
    """What a seat knows: its persona, None for the referee; who else there is; the values that are
    open; how often it has spoken; the lines that were said, by whom; and `schema`, where it is
    asked for a verdict."""

    me: str | None
    cast: tuple[str, ...]
    values: tuple[OpenValue, ...] = ()
    spoken: int = 0
    lines: tuple[tuple[str, str], ...] = ()
    exhibits: tuple[str, ...] = ()
    schema: dict[str, Any] = field(default_factory=dict)

    def cited(self, who: str | None) -> list[str]:
        """The exhibits that somebody has named, each once, in order."""
        words = " ".join(text for speaker, text in self.lines if speaker == who)
        return [*dict.fromkeys(each.title() for each in _EXHIBIT.findall(words))]


ScenarioMove = Callable[[ScenarioView, random.Random], str]


def play(
    messages: Sequence[Message], rng: random.Random, move: ScenarioMove, otherwise: Policy
) -> str:
    """The reply of a scenario's policy: notes where they are asked for, its move in a scenario, a
    verdict where it is the referee, and what `otherwise` says anywhere else."""
    conversation = read(messages)
    view = see(conversation.text)
    if view is None:
        return otherwise(messages, rng)
    if conversation.wants_notes:
        return write_notes(conversation.facts, "keep to what counts")
    return verdict(view) if view.schema else move(view, rng)


def see(text: str) -> ScenarioView | None:
    """What the text tells a seat, or None when it is not of a scenario."""
    start = text.lstrip()
    plays = _PLAYS.search(text[:2_000])
    if not start.startswith(_OPENING) or plays is None:
        return None
    opening, _, said = text.partition("\n[GAME] Scene 1 of ")
    lines = tuple((who, words) for who, words in _LINE.findall(said) if who != "GAME")
    me = plays[1]
    _, asked, schema = text.rpartition(_SCHEMA)
    cast = opening.partition("\nWho takes part")[2].partition("\n\n")[0]
    return ScenarioView(
        me,
        tuple(_CAST.findall(cast)),
        tuple(_open_values(opening, said, lines, me)),
        sum(who == me for who, _ in lines),
        lines,
        tuple(dict.fromkeys(each.title() for each in re.findall(r"^Exhibit [A-Z]", said, re.M))),
        _parsed(schema.partition("\n")[0]) if asked and me is None else {},
    )


def _parsed(schema: str) -> dict[str, Any]:
    try:
        found = json.loads(schema)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _open_values(
    opening: str, said: str, lines: Sequence[tuple[str, str]], me: str | None
) -> list[OpenValue]:
    settled = {*_SETTLED.findall(said)}
    worth: dict[str, str] = dict(_WORTH.findall(opening))
    latest: dict[tuple[str, str], str] = {}
    for who, words in lines:
        for name, stated in _STATED.findall(words):
            latest.pop((name, who), None)
            latest[name, who] = stated.strip()
    found = []
    for name, takes, _, voters in _VALUE.findall(opening):
        if name in settled:
            continue
        between = _RANGE.search(takes)
        low, high = (float(between[1]), float(between[2])) if between else (0.0, 0.0)
        options = () if between else tuple(takes.split(" or "))
        theirs = [v for (n, who), v in reversed(latest.items()) if n == name and who != me]
        found.append(
            OpenValue(
                name,
                options,
                low,
                high,
                tuple((at, float(points)) for points, _, at in _POINT.findall(worth.get(name, ""))),
                not voters or me in voters.split(", "),
                tuple(each for each in theirs if _is_taken(each, options, low, high)),
            )
        )
    return found


def _is_taken(stated: str, options: Sequence[str], low: float, high: float) -> bool:
    if options:
        return stated in options
    return re.fullmatch(r"-?\d+(?:\.\d+)?", stated) is not None and low <= float(stated) <= high


def verdict(view: ScenarioView) -> str:
    """A verdict by what was said: who named more exhibits, or else more things, argued better."""
    strength = {name: _strength(view, name) for name in view.cast}
    first = max(view.cast, key=lambda name: strength[name], default="")
    answer: dict[str, Any] = {}
    for name, wanted in view.schema.get("properties", {}).items():
        answer[name] = _field(view, str(name), wanted, strength, first)
    return json.dumps(answer)


def _strength(view: ScenarioView, name: str) -> float:
    """From 0 to 1."""
    if view.exhibits:
        return len(view.cited(name)) / len(view.exhibits)
    words = {word for who, text in view.lines if who == name for word in text.casefold().split()}
    return min(len(words) / 100, 1.0)


def _field(
    view: ScenarioView, name: str, wanted: dict[str, Any], strength: dict[str, float], first: str
) -> Any:
    options = wanted.get("enum")
    if options == ["yes", "no"]:
        return "yes" if all(each == 1.0 for each in strength.values()) else "no"
    if options:
        ahead = view.cast.index(first) if first else 0
        return options[min(ahead, len(options) - 1)]
    if wanted.get("type") in ("number", "integer"):
        low, high = float(wanted["minimum"]), float(wanted["maximum"])
        of = next((who for who in view.cast if who.casefold() == name.casefold()), None)
        share = strength[of] if of is not None else 0.5
        return round(low + share * (high - low))
    said = ", ".join(f"{who}: {', '.join(view.cited(who)) or 'nothing'}" for who in view.cast)
    return f"Who spoke of what: {said}."[: int(wanted.get("maxLength", 200))]


def asks_verdict(text: str) -> bool:
    """Whether a text asks for a verdict by a schema."""
    return _SCHEMA in text


def at_random(text: str, rng: random.Random) -> str:
    """Anything that the scenario takes."""
    view = see(text)
    if view is None:
        return "pass"
    if view.schema:
        return json.dumps(
            {name: _any(wanted, rng) for name, wanted in view.schema.get("properties", {}).items()}
        )
    said = [rng.choice(SMALL_TALK)]
    for value in view.values:
        if value.mine and rng.random() < 0.5:
            drawn = rng.choice(
                value.options or (f"{rng.randint(int(value.low), int(value.high))}",)
            )
            stated = rng.choice((*value.theirs[:1], drawn))
            said.append(f"[{value.name}: {stated}]")
    return " ".join(said)


def _any(wanted: dict[str, Any], rng: random.Random) -> Any:
    if "enum" in wanted:
        return rng.choice(wanted["enum"])
    if "minimum" in wanted:
        return rng.randint(round(wanted["minimum"]), round(wanted["maximum"]))
    return "It was close."[: int(wanted.get("maxLength", 200))]
