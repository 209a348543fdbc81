"""Reads a scenario file: all of it, or all that is wrong with it.

What it returns needs no file any more: attached texts stand in it, and `copied` is all of it as
JSON, for the configuration of the tournament that plays it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from arena.config import document
from arena.config.errors import KeyPath, Problem, dotted, explain, located
from arena.config.prompt_files import text_beside
from arena.config.secrets import secrets
from arena.core import ConfigError, UsageError, prompts
from arena.core.text import one_line
from arena.scenarios.checks import placeholders, unprintable, wrong
from arena.scenarios.shape import ScenarioShape

EXPECTED = "a scenario (name, personas, scenes, ...)"
SHIPPED = Path(__file__).parent / "shipped"


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
        return prompts.render(text, placeholders(self.shape), {})


def shipped(folder: Path = SHIPPED) -> list[str]:
    """The names of the scenarios that come with the arena, or in another folder, sorted."""
    return sorted(file.stem for file in folder.glob("*.yaml"))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors."""
    schema = ScenarioShape.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def load(path: str | Path) -> Scenario:
    """The scenario in a YAML file. Raises ConfigError with everything that is wrong with it."""
    file = Path(path)
    if "\0" in str(path) or (file.exists() and not (file.is_file() or file.is_dir())):
        raise ConfigError(f"{one_line(str(path), 200)}: expected a scenario file (.yaml)")
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
    problems += unprintable(data)
    found = None
    try:
        found = ScenarioShape.model_validate(data)
    except ValidationError as error:
        problems += explain(error, ScenarioShape)
    problems += secrets(data)
    if found is not None:
        problems += wrong(found)
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
