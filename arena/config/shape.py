"""The shape of a tournament file: what can be written in it, and what it means.

A file is checked as a whole: unknown keys are refused, and every problem is shown at once with
its line. The names of environments, kinds, matchmakers and rating systems are not checked here,
because any package may bring them; `TournamentConfig.error` says where such a name was written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr, ValidationError

from arena.config import document
from arena.config.checks import check
from arena.config.errors import (
    KeyPath,
    Problem,
    WrittenAt,
    dotted,
    explain,
    line_of,
    located,
    nearest,
    written_at,
)
from arena.config.grid import without_grids
from arena.config.held import HUMAN, with_people
from arena.config.overrides import overridden
from arena.config.parts import (
    AgentConfig,
    CacheConfig,
    Dollars,
    EnvironmentConfig,
    GridEntry,
    LLMConfig,
    MatchmakerConfig,
    ModelConfig,
    Name,
    PoolConfig,
    PromptConfig,
    RecordConfig,
    Shape,
    TemplatedAgent,
)
from arena.config.prompt_files import read_prompts
from arena.config.prompt_variables import check_variables
from arena.config.secrets import all_secrets, secrets
from arena.config.templated import Templates, TemplatesUsed, from_template, with_agents
from arena.config.tools import without_unsaid
from arena.config.variants import written_out
from arena.core import ConfigError, EnvironmentCrash, UsageError, prompts

# What changes only how fast, how patiently and at what cost a tournament is played.
_SETTINGS = {"executor", "executor_options", "concurrency", "llm", "attempts"}
_SETTINGS |= {"budget", "cache", "record"}
_LATER = {"api_key_file": None, "provider": None, "system": "system", "upstream": None}
_MODEL_SETTINGS = {"limits", "budget", "cache"}


Shaped = TypeVar("Shaped", bound=Shape)


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a config was written."""

    source: str = "config"
    lines: Mapping[KeyPath, WrittenAt] = field(default_factory=dict)
    folder: Path | None = None
    templates: TemplatesUsed = field(default_factory=TemplatesUsed)


class TournamentConfig(Shape):
    """A tournament: who plays what against whom, how often, and how it is rated."""

    name: Name = Field(description="A tournament is continued by its name.")
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="The schedule follows from it.")
    environment: EnvironmentConfig
    games: int = Field(ge=1, le=10_000_000, description="Games to play.")
    concurrency: int = Field(default=50, ge=1, le=10_000, description="Games at the same time.")
    executor: Name = Field(
        default="auto",
        description="What runs the games: local, here; processes, in workers; auto, by their "
        "number; ray, in the workers of a cluster.",
    )
    executor_options: dict[str, Any] = Field(
        default={}, description="What the executor takes: the address of a cluster, say."
    )
    matchmaker: MatchmakerConfig = MatchmakerConfig()
    models: tuple[ModelConfig, ...] = Field(default=(), strict=False)
    prompts: tuple[PromptConfig, ...] = Field(default=(), strict=False)
    agents: tuple[AgentConfig, ...] = Field(min_length=1, strict=False)
    llm: LLMConfig = LLMConfig()
    attempts: int = Field(default=3, ge=1, le=100, description="Tries of a game that went void.")
    budget: Dollars | None = Field(
        default=None, description="Most dollars to spend on the whole tournament, ever."
    )
    cache: CacheConfig | None = Field(default=None, description="By default every call is paid.")
    record: RecordConfig = RecordConfig()
    rating: Name = Field(
        default="trueskill", description="The rating system, which rates game by game."
    )
    pool: PoolConfig | None = Field(
        default=None, description="Others may be rated against these agents, and move nothing."
    )

    _origin: _Origin = PrivateAttr(default_factory=_Origin)

    @property
    def source(self) -> str:
        """The file as it was named."""
        return self._origin.source

    @property
    def folder(self) -> Path | None:
        """Where the files that it names are; None for one that was read from a database."""
        return self._origin.folder

    @property
    def templates(self) -> TemplatesUsed:
        """The templates that were copied into it; none for one that was read from a database."""
        return self._origin.templates

    @property
    def everybody(self) -> tuple[AgentConfig, ...]:
        """The agents, and behind them the referee, if there is one."""
        referee = self.environment.referee
        return self.agents if referee is None else (*self.agents, referee.agent())

    def place_of(self, index: int) -> tuple[str | int, ...]:
        """Where in the file one of `everybody` stands."""
        return ("agents", index) if index < len(self.agents) else ("environment", "referee")

    @property
    def external_models(self) -> tuple[str, ...]:
        """Models that agents name and the file does not define, sorted: the catalogue's."""
        return _absent((agent.model for agent in self.everybody), (m.name for m in self.models))

    @property
    def external_prompts(self) -> tuple[str, ...]:
        """Prompts that are named and not defined in the file, sorted: the catalogue's."""
        named = [agent.prompt for agent in self.everybody]
        named += [prompt.forked_from for prompt in self.prompts if prompt.forked_from]
        return _absent(named, (prompt.name for prompt in self.prompts))

    def canonical(self) -> dict[str, Any]:
        """What the tournament is: JSON, with the prompts' texts, without its `settings`."""
        data = self.model_dump(mode="json", exclude=_SETTINGS)
        for model in data["models"]:
            for name in _MODEL_SETTINGS:
                del model[name]
            # Tournaments from before there were these keep their hash.
            for name, usual in _LATER.items():
                if model[name] == usual:
                    del model[name]
        for agent in data["agents"]:
            del agent["null_variants"]  # they are agents of their own
            without_unsaid(agent)
        if self.environment.time_limit is None:
            # Tournaments from before there was such a limit keep their hash.
            del data["environment"]["time_limit"]
        if self.environment.referee is None:
            del data["environment"]["referee"]
        else:
            without_unsaid(data["environment"]["referee"], prompts.BESIDE.keys() - {prompts.VARS})
        if self.pool is None:
            del data["pool"]
        if self.environment.overflow == "void":
            del data["environment"]["overflow"]
        # round-robin and round_robin are one name.
        data["matchmaker"]["name"] = data["matchmaker"]["name"].replace("-", "_")
        for written, prompt in zip(data["prompts"], self.prompts, strict=True):
            del written["file"], written["instructions"]
            written["text"] = prompt.content
        return data

    def by_version(self, version: int) -> TournamentConfig:
        """The same tournament, its matchmaker's option `version` said."""
        matchmaker = self.matchmaker.model_copy(update={"version": version})
        return self.model_copy(update={"matchmaker": matchmaker})

    def settings(self) -> dict[str, Any]:
        """What changes only how fast, how patiently and at what cost it is played: JSON, that of
        the models by their names. Every run may have others."""
        data = self.model_dump(mode="json", include=_SETTINGS)
        if self.record == RecordConfig():
            del data["record"]
        if not self.executor_options:
            del data["executor_options"]
        data["models"] = {
            model.name: model.model_dump(mode="json", include=_MODEL_SETTINGS)
            for model in self.models
        }
        return data

    @property
    def config_hash(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def where(self, *path: str | int) -> str:
        """`quickstart.yaml:4`, for `where("environment", "name")`: the line of the value, or of
        the nearest thing around it; `--set environment.players` for what an option says of it."""
        lines = self._origin.lines
        said = [
            place
            for known, place in lines.items()
            if isinstance(place, str) and known[: len(path)] == path
        ]
        return written_at(self.source, said[0] if said else line_of(lines, path))

    def error(self, message: str, *path: str | int) -> ConfigError:
        """An error that says where in the file its cause is."""
        where = self.where(*path)
        said = {place for place in self._origin.lines.values() if isinstance(place, str)} - {where}
        more = f" (with {', '.join(sorted(said))})" if said else ""
        return ConfigError(f"{where}: {message}{more}")

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """Inside, what is wrong with what stands at a path becomes a ConfigError that says where it
        was written."""
        try:
            yield
        except ConfigError:
            raise
        except UsageError as error:
            raise self.error(str(error), *path) from error
        except EnvironmentCrash as error:
            raise self.error(f"the rules cannot start a game like this: {error}", *path) from error

    def unresolved(
        self, *, models: Iterable[str] = (), prompts: Iterable[str] = ()
    ) -> ConfigError | None:
        """The error for external names that are not in the catalogue's `models` and `prompts`
        either, each with the nearest name there is; None when all are."""
        models, prompts = set(models), set(prompts)
        known_models = models | {model.name for model in self.models}
        known_prompts = prompts | {prompt.name for prompt in self.prompts}
        problems = []
        for index, agent in enumerate(self.everybody):
            path = self.place_of(index)
            if agent.model not in known_models:
                problems.append(_missing((*path, "model"), "model", agent.model, known_models))
            if agent.prompt not in known_prompts:
                problems.append(_missing((*path, "prompt"), "prompt", agent.prompt, known_prompts))
        for index, prompt in enumerate(self.prompts):
            parent = prompt.forked_from
            if parent and parent not in known_prompts:
                path = ("prompts", index, "forked_from")
                problems.append(_missing(path, "prompt", parent, known_prompts - {prompt.name}))
        if not problems:
            return None
        return ConfigError(located(self.source, problems, self._origin.lines))


def load(
    path: str | Path, *, settings: Sequence[str] = (), templates: Templates | None = None
) -> TournamentConfig:
    """The tournament in a YAML file, with `settings` (`games=50`) in place of what it says;
    `templates` are where those are that it names. Raises ConfigError with everything that is wrong
    with it."""
    text = document.text_of(path, "tournament")
    folder = Path(path).parent
    return loads(text, source=str(path), folder=folder, settings=settings, templates=templates)


def loads(
    text: str,
    *,
    source: str = "config",
    folder: Path | None = None,
    settings: Sequence[str] = (),
    templates: Templates | None = None,
) -> TournamentConfig:
    """The tournament in a YAML text; prompts' files are looked for in `folder`."""
    found = document.read(text, source)
    return parse(
        found.data,
        source=source,
        folder=folder,
        lines=found.lines,
        settings=settings,
        templates=templates,
    )


def parse(
    data: Any,
    *,
    source: str = "config",
    folder: Path | None = None,
    lines: Mapping[KeyPath, WrittenAt] | None = None,
    stored: bool = False,
    settings: Sequence[str] = (),
    templates: Templates | None = None,
) -> TournamentConfig:
    """The tournament in plain data, as `loads` reads it from YAML; one that is `stored` already is
    not looked through for secrets. Raises ConfigError."""
    lines = lines or {}
    data, lines, template, wrong = from_template(data, lines, templates)
    if not wrong:
        data, lines = overridden(data, lines, settings)
        data, lines, used, wrong = with_agents(data, lines, templates)
    if wrong:
        raise ConfigError(located(source, wrong, lines))
    data, lines = with_people(data, lines)
    data, lines, problems = without_grids(data, lines)
    config = None
    try:
        config = TournamentConfig.model_validate(data)
    except ValidationError as error:
        wrong_grids = bool(problems)
        found = explain(error, TournamentConfig)
        # Without its grids a file may have no agents.
        problems += [p for p in found if not (wrong_grids and p.path == ("agents",))]
    texts, unread = read_prompts(data, folder or Path())
    problems += [*check(data), *unread, *(() if stored else all_secrets(data))]
    if config is None or problems:
        raise ConfigError(located(source, problems, lines))
    for index, content in texts.items():
        config.prompts[index]._content = content
    unfit = check_variables(config.prompts, config.everybody, config.place_of)
    if not stored and (said := [*unfit]):
        raise ConfigError(located(source, said, lines))
    out = written_out(config.prompts, config.agents, lines)
    if out.problems:
        raise ConfigError(located(source, out.problems, lines))
    config = config.model_copy(update={"prompts": out.prompts, "agents": out.agents})
    config._origin = _Origin(
        source, out.lines, None if stored else folder or Path(), TemplatesUsed(template, used)
    )
    return config


def parse_model(data: Mapping[str, Any]) -> ModelConfig:
    """One model in plain data, checked as in a file. Raises ConfigError."""
    return _part(ModelConfig, "model", data)


def parse_agent(data: Mapping[str, Any]) -> AgentConfig:
    """One agent in plain data, checked as in a file. Raises ConfigError."""
    return _part(AgentConfig, "agent", data)


def _part(shape: type[Shaped], noun: str, data: Mapping[str, Any]) -> Shaped:
    problems = [*secrets(data)]
    part = None
    try:
        part = shape.model_validate(data)
    except ValidationError as error:
        problems += explain(error, shape)
    if part is None or problems:
        raise ConfigError(located(noun, problems))
    return part


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a tournament file, for editors."""
    schema = TournamentConfig.model_json_schema()
    grid = GridEntry.model_json_schema(ref_template="#/$defs/{model}")
    templated = TemplatedAgent.model_json_schema()
    schema["$defs"] |= {**grid.pop("$defs"), "GridEntry": grid, "TemplatedAgent": templated}
    described = schema["$defs"]
    for name in ("AgentConfig", "RefereeConfig"):
        # A person has neither model nor prompt.
        wanted = [key for key in described[name].pop("required") if key in ("model", "prompt")]
        described[name]["required"] = [] if name == "RefereeConfig" else ["name"]
        described[name]["anyOf"] = [
            {"required": wanted},
            {"properties": {"kind": {"const": HUMAN}}, "required": ["kind"]},
        ]
    # Templates are copied, and the agents of a grid written out, before the rest is looked at.
    grid_entry = {"$ref": "#/$defs/GridEntry"}
    agents = schema["properties"]["agents"]
    agents["items"] = {"anyOf": [agents["items"], {"$ref": "#/$defs/TemplatedAgent"}, grid_entry]}
    said = "The tournament template that it is made from; what the file says goes before it."
    schema["properties"]["template"] = {"type": "string", "minLength": 1, "description": said}
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["name", "template"]}]
    listed = {key: agents.pop(key) for key in ("type", "items", "minItems")}
    agents["anyOf"] = [listed, grid_entry]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _absent(named: Iterable[str], defined: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*named} - {*defined}))


def _missing(path: KeyPath, noun: str, name: str, known: set[str]) -> Problem:
    hint = nearest(name, known)
    sentence = f"{dotted(path)}: no {noun} {name!r} in this file or in the catalogue"
    return Problem(path, sentence + hint)
