"""Reads a scenario file and checks what a shape cannot say: names that nothing has, texts, words.

What it returns needs no file any more: attached texts stand in it, and `copied` is all of it as
JSON, for the configuration of the tournament that plays it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from arena.config import document
from arena.config.errors import KeyPath, Problem, dotted, explain, located, nearest
from arena.config.prompt_files import text_beside
from arena.config.secrets import secrets
from arena.core import ConfigError, UsageError, prompts
from arena.scenarios.shape import ScenarioShape, Score

EXPECTED = "a scenario (name, personas, scenes, ...)"
SHIPPED = Path(__file__).parent / "shipped"
NARRATOR = "Narrator"
REFEREE = "Referee"

PLACEHOLDERS = ("players", "texts.NAME")
"""What narrators, descriptions and instructions may say as `{{players}}` and `{{texts.NAME}}`."""

_TEXTS = "texts."


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that has been checked. `copied` is the whole of it as JSON, attached texts
    included; `mark` tells it from every other one."""

    shape: ScenarioShape
    copied: str

    @property
    def mark(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of its content."""
        return hashlib.sha256(self.copied.encode()).hexdigest()[:12]

    def filled(self, text: str) -> str:
        """A text of the scenario with its placeholders filled in."""
        return prompts.render(text, _values(self.shape), {})


def shipped() -> list[str]:
    """The names of the scenarios that come with the arena, sorted."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors."""
    schema = ScenarioShape.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def load(path: str | Path) -> Scenario:
    """The scenario in a YAML file. Raises ConfigError with everything that is wrong with it."""
    text = document.text_of(path, "scenario")
    found = document.read(text, str(path), EXPECTED)
    return _checked(found.data, str(path), found.lines, Path(path).parent)


@lru_cache(maxsize=64)
def restored(copied: str) -> Scenario:
    """The scenario in a copy. Raises ConfigError."""
    source = "the copy of the scenario"
    if len(copied) > 2 * document.MAX_BYTES:
        raise ConfigError(f"{source}: longer than {2 * document.MAX_BYTES // 1024} KiB")
    try:
        data = json.loads(copied)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{source} is not JSON; expected what `arena` wrote: write `options: {{file: ...}}` "
            "to play a scenario file"
        ) from error
    return _checked(data, source, {}, None)


def _checked(data: Any, source: str, lines: Mapping[KeyPath, int], folder: Path | None) -> Scenario:
    data, problems = _with_texts(data, folder)
    found = None
    try:
        found = ScenarioShape.model_validate(data)
    except ValidationError as error:
        problems += explain(error, ScenarioShape)
    problems += secrets(data)
    if found is not None:
        problems += _wrong(found)
    if found is None or problems:
        raise ConfigError(located(source, problems, lines))
    copied = json.dumps(
        found.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False, sort_keys=True
    )
    return Scenario(found, copied)


def _with_texts(data: Any, folder: Path | None) -> tuple[Any, list[Problem]]:
    """The data with the texts of attached files in the place of their names."""
    texts = data.get("texts") if isinstance(data, Mapping) else None
    if not isinstance(texts, list):
        return data, []
    problems: list[Problem] = []
    written: list[Any] = []
    for index, entry in enumerate(texts):
        file = entry.get("file") if isinstance(entry, Mapping) else None
        if not isinstance(file, str) or not file or "text" in entry:
            written.append(entry)
            continue
        path = ("texts", index, "file")
        try:
            if folder is None:
                raise UsageError(f"found the file {file!r} in a copy; expected its text")
            text = text_beside(folder, file, "text", "scenario")
        except UsageError as error:
            problems.append(Problem(path, f"{dotted(path)}: {error}"))
            text = "unread"
        rest = {key: value for key, value in entry.items() if key != "file"}
        written.append({**rest, "text": text})
    return {**data, "texts": written}, problems


def _values(shape: ScenarioShape) -> dict[str, object]:
    values: dict[str, object] = {"players": ", ".join(each.name for each in shape.personas)}
    return values | {f"{_TEXTS}{each.name}": each.text for each in shape.texts}


def _wrong(shape: ScenarioShape) -> Iterator[Problem]:
    """What is wrong with names and words."""
    personas = [each.name for each in shape.personas]
    yield from _twice("personas", "name", personas, taken=(NARRATOR, REFEREE, "GAME"))
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


def _twice(
    key: str, field: str, names: Iterable[str], taken: Collection[str] = ()
) -> Iterator[Problem]:
    head, *rest = key.split(".")
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        path: KeyPath = (head, *rest, index, field)
        same = name.casefold()
        if same in seen:
            other = dotted((head, *rest, seen[same]))
            yield Problem(path, f"{dotted(path)}: {name!r} is already the {field} of {other}")
        elif same in {each.casefold() for each in taken}:
            yield Problem(path, f"{dotted(path)}: {name!r} is the arena's own; choose another name")
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
    known = _values(shape)
    for path, text in texts:
        for name in prompts.used(text or ""):
            if name not in known:
                listed = ", ".join(f"{{{{{each}}}}}" for each in known)
                yield Problem(
                    path, f"{dotted(path)}: {{{{{name}}}}} is no placeholder; known: {listed}"
                )
