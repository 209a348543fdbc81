"""What a scenario's shape cannot say: names that nothing has or that look alike, texts, words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from arena.config.errors import KeyPath, Problem, dotted, nearest
from arena.core import prompts
from arena.core.inert import looks_like
from arena.scenarios.shape import ScenarioShape, Score

NARRATOR = "Narrator"
REFEREE = "Referee"

_TEXTS = "texts."
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def unprintable(data: Any, path: KeyPath = ()) -> Iterator[Problem]:
    """Texts that move a terminal's cursor, ring its bell or change its colours."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from unprintable(value, (*path, str(key)))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from unprintable(value, (*path, index))
    elif isinstance(data, str) and (found := _CONTROL.search(data)) is not None:
        line = data.count("\n", 0, found.start()) + 1
        at = f" in its line {line}" if "\n" in data else ""
        yield Problem(
            path,
            f"{dotted(path)}: expected text without control characters, found {found[0]!r}{at}",
        )


def placeholders(shape: ScenarioShape) -> dict[str, object]:
    """What the placeholders of a scenario's texts stand for."""
    values: dict[str, object] = {"players": ", ".join(each.name for each in shape.personas)}
    return values | {f"{_TEXTS}{each.name}": each.text for each in shape.texts}


def wrong(shape: ScenarioShape) -> Iterator[Problem]:
    """What is wrong with names and words."""
    personas = [each.name for each in shape.personas]
    yield from _twice("personas", "name", personas)
    yield from _alike(personas)
    yield from _twice("values", "name", [each.name for each in shape.values])
    yield from _twice("scenes", "title", [each.title for each in shape.scenes])
    yield from _twice("texts", "name", [each.name for each in shape.texts])
    teams = {each.team or each.name for each in shape.personas}
    if len(teams) == 1:
        yield Problem(
            ("personas",), f"personas: all are of the team {teams.pop()!r}; nobody can win"
        )
    yield from _wrong_parties(shape, personas)
    yield from _wrong_moments(shape, personas)
    yield from _wrong_scoring(shape, personas)
    yield from _wrong_words(shape)
    asked = [("scenes", i) for i, s in enumerate(shape.scenes) if s.success and s.success.referee]
    asked += [("scoring", i) for i, score in enumerate(shape.scoring) if score.verdict is not None]
    if shape.referee is None and asked:
        yield Problem(
            asked[0],
            f"{dotted(asked[0])} asks the referee, and the scenario has none; write "
            "'referee: {instructions: ..., fields: [...]}'",
        )
    if shape.referee is not None:
        yield from _twice("referee.fields", "name", [f.name for f in shape.referee.fields])


def _alike(personas: Sequence[str]) -> Iterator[Problem]:
    """Names that a reader takes for another's, or for the arena's own."""
    seen: dict[str, tuple[str, str]] = {
        looks_like(own): (own, "which is the arena's own") for own in (NARRATOR, REFEREE, "GAME")
    }
    for index, name in enumerate(personas):
        alike = looks_like(name)
        here = dotted(path := ("personas", index, "name"))
        other, whose = seen.get(alike, (name, ""))
        if whose and other.casefold() == name.casefold():
            if whose.startswith("which"):
                yield Problem(path, f"{here}: {name!r} is the arena's own; choose another name")
        elif whose:
            yield Problem(path, f"{here}: {name!r} looks like {other!r}, {whose}")
        if alike:
            seen.setdefault(alike, (name, f"the name of {dotted(('personas', index))}"))


def _twice(key: str, field: str, names: Iterable[str]) -> Iterator[Problem]:
    head, *rest = key.split(".")
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        path: KeyPath = (head, *rest, index, field)
        same = name.casefold()
        if same in seen:
            other = dotted((head, *rest, seen[same]))
            yield Problem(path, f"{dotted(path)}: {name!r} is already the {field} of {other}")
        seen.setdefault(same, index)


def _unknown(path: KeyPath, noun: str, name: str | None, known: Iterable[str]) -> Iterator[Problem]:
    known = list(known)
    if name is not None and name not in known:
        hint = nearest(name, known) or f"; the scenario has no {noun}"
        yield Problem(path, f"{dotted(path)}: unknown {noun} {name!r}{hint}")


def _wrong_parties(shape: ScenarioShape, personas: list[str]) -> Iterator[Problem]:
    """Who speaks, listens, agrees and votes."""
    talking: set[str] = set()
    for index, scene in enumerate(shape.scenes):
        talking.update(personas if scene.speaks is None else scene.speaks)
        both = (("speaks", scene.speaks or ()), ("observes", scene.observes or ()))
        for key, names in both:
            for at, name in enumerate(names):
                path: KeyPath = ("scenes", index, key, at)
                yield from _unknown(path, "persona", name, personas)
                if name in names[:at]:
                    yield Problem(path, f"{dotted(path)}: {name!r} stands there twice")
        for at, name in enumerate(scene.observes or ()):
            if name in (scene.speaks if scene.speaks is not None else personas):
                path = ("scenes", index, "observes", at)
                yield Problem(
                    path, f"{dotted(path)}: {name!r} speaks in this scene, and hears it anyway"
                )
    for index, value in enumerate(shape.values):
        for at, name in enumerate(value.voters):
            path = ("values", index, "voters", at)
            yield from _unknown(path, "persona", name, personas)
            if name in personas and name not in talking:
                yield Problem(path, f"{dotted(path)}: {name!r} speaks in no scene, and cannot vote")
        if value.agreed_by is not None and value.agreed_by > len(talking):
            path = ("values", index, "agreed_by")
            yield Problem(
                path,
                f"{dotted(path)}: expected at most {len(talking)}, as many speak, found "
                f"{value.agreed_by}",
            )


def _wrong_moments(shape: ScenarioShape, personas: list[str]) -> Iterator[Problem]:
    """When the narrator speaks, and what scenes wait for."""
    values = [each.name for each in shape.values]
    titles = [each.title for each in shape.scenes]
    for index, scene in enumerate(shape.scenes):
        if scene.success is not None:
            for at, name in enumerate(scene.success.settled):
                yield from _unknown(
                    ("scenes", index, "success", "settled", at), "value", name, values
                )
            yield from _unknown(
                ("scenes", index, "success", "by"), "persona", scene.success.by, personas
            )
    for index, line in enumerate(shape.narrator):
        yield from _unknown(("narrator", index, "scene"), "scene", line.scene, titles)
        yield from _unknown(("narrator", index, "value"), "value", line.value, values)


def _wrong_scoring(shape: ScenarioShape, personas: list[str]) -> Iterator[Problem]:
    """Whom points are for, and what they are for."""
    values = {each.name: each for each in shape.values}
    fields = {} if shape.referee is None else {each.name: each for each in shape.referee.fields}
    titles = [each.title for each in shape.scenes]
    for index, score in enumerate(shape.scoring):
        here: KeyPath = ("scoring", index)
        for key, name in (("persona", score.persona), ("by", score.by)):
            yield from _unknown((*here, key), "persona", name, personas)
        yield from _unknown((*here, "scene"), "scene", score.scene, titles)
        yield from _unknown((*here, "value"), "value", score.value, values)
        if shape.referee is not None:
            yield from _unknown((*here, "verdict"), "field of the verdict", score.verdict, fields)
        of = values.get(score.value or "") or fields.get(score.verdict or "")
        if of is not None:
            yield from _wrong_worth(here, score, of.number is not None, of.options)


def _wrong_worth(
    here: KeyPath, score: Score, number: bool, options: tuple[str, ...]
) -> Iterator[Problem]:
    name = score.value or score.verdict
    if not number and not options:
        yield Problem(here, f"{dotted(here)}: {name!r} is a text, which is worth no points")
    elif number and not score.curve:
        yield Problem(here, f"{dotted(here)}: {name!r} is a number; write 'curve', not 'worth'")
    elif options and score.worth is None:
        yield Problem(here, f"{dotted(here)}: {name!r} has options; write 'worth', not 'curve'")
    for option in score.worth or ():
        yield from _unknown((*here, "worth", option), f"option of {name!r}", option, options)


def _wrong_words(shape: ScenarioShape) -> Iterator[Problem]:
    """Placeholders that are not known."""
    texts: list[tuple[KeyPath, str | None]] = [(("description",), shape.description)]
    texts += [
        (("scenes", i, "description"), scene.description) for i, scene in enumerate(shape.scenes)
    ]
    texts += [(("narrator", i, "say"), line.say) for i, line in enumerate(shape.narrator)]
    if shape.referee is not None:
        texts.append((("referee", "instructions"), shape.referee.instructions))
    known = placeholders(shape)
    for path, text in texts:
        for name in prompts.used(text or ""):
            if name not in known:
                listed = ", ".join(f"{{{{{each}}}}}" for each in known)
                yield Problem(
                    path, f"{dotted(path)}: {{{{{name}}}}} is no placeholder; known: {listed}"
                )
