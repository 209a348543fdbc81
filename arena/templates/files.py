"""Templates as YAML files: `template: agent` or `template: tournament`, and what the template
says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from arena.config import document
from arena.config.errors import KeyPath, Problem, WrittenAt, explain, found, located
from arena.config.overrides import overridden
from arena.config.prompt_files import read_prompts
from arena.core import ConfigError
from arena.templates.schemas import (
    AgentTemplateCreate,
    AgentTemplateUpdate,
    TournamentTemplateCreate,
    TournamentTemplateUpdate,
    Written,
)

SORTS = ("agent", "tournament")
_Lines = Mapping[KeyPath, WrittenAt]
_Shaped = TypeVar("_Shaped", bound=Written)


def read_template(
    text: str, source: str, folder: Path | None = None, settings: Sequence[str] = ()
) -> AgentTemplateCreate | TournamentTemplateCreate:
    """The template in a YAML text, with `settings` (`config.games=50`) in place of what it says;
    `source` is the file name that errors show, and prompts' files are looked for in `folder` and
    copied. Raises ConfigError with everything that is wrong."""
    read = document.read(text, source, "a template (template: agent, name, ...)")
    data, lines = overridden(read.data, read.lines, settings)
    sort = data.get("template") if isinstance(data, Mapping) else None
    if sort not in SORTS:
        said = "" if sort is None else f", found {found(sort)}"
        raise ConfigError(
            located(
                source,
                [
                    Problem(
                        ("template",), f"expected 'template: agent' or 'template: tournament'{said}"
                    )
                ],
                lines,
            )
        )
    own = {key: value for key, value in data.items() if key != "template"}
    if sort == "agent":
        return shaped(AgentTemplateCreate, own, lines, source)
    return shaped(
        TournamentTemplateCreate, _with_prompts(own, lines, source, folder), lines, source
    )


def read_update(
    text: str, source: str, folder: Path | None, sort: str, settings: Sequence[str] = ()
) -> AgentTemplateUpdate | TournamentTemplateUpdate:
    """What a file makes of a template: everything that it may say; what it does not say becomes
    what it is by default. Raises ConfigError for a file of the other sort too."""
    template = read_template(text, source, folder, settings)
    if isinstance(template, AgentTemplateCreate) != (sort == "agent"):
        raise ConfigError(f"{source}: expected 'template: {sort}', found the other")
    shape: type[AgentTemplateUpdate] | type[TournamentTemplateUpdate] = (
        AgentTemplateUpdate if sort == "agent" else TournamentTemplateUpdate
    )
    said = {name: getattr(template, name) for name in shape.model_fields}
    return shape(**said).placed(*template.origin)


def shaped(shape: type[_Shaped], data: Any, lines: _Lines, source: str) -> _Shaped:
    """The data of a document in their shape. Raises ConfigError with every problem."""
    try:
        return shape.model_validate(data).placed(source, lines)
    except ValidationError as error:
        raise ConfigError(located(source, explain(error, shape), lines)) from error


def to_yaml(template: AgentTemplateCreate | TournamentTemplateCreate) -> str:
    """The template as a file, which `read_template` reads as the same."""
    sort = "agent" if isinstance(template, AgentTemplateCreate) else "tournament"
    fields = type(template).model_fields.keys() - {"id", "created_at", "updated_at"}
    said = template.model_dump(mode="json", exclude_defaults=True, include=fields)
    return document.written({"template": sort, **said})


def _with_prompts(
    data: dict[str, Any], lines: _Lines, source: str, folder: Path | None
) -> dict[str, Any]:
    """The data with the texts of prompts in the place of the names of their files."""
    config = data.get("config")
    if folder is None or not isinstance(config, Mapping):
        return data
    texts, unread = read_prompts(config, folder)
    if unread:
        wrong = [Problem(("config", *each.path), f"config.{each.message}") for each in unread]
        raise ConfigError(located(source, wrong, lines))
    if not texts:
        return data
    prompts = [
        {**{key: value for key, value in entry.items() if key != "file"}, "text": texts[index]}
        if index in texts and "text" not in entry
        else entry
        for index, entry in enumerate(config["prompts"])
    ]
    return {**data, "config": {**config, "prompts": prompts}}
