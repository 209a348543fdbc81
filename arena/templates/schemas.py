"""The shapes of templates: what is given to make or change one, and what is given back.

Keys that are not known are refused, at any depth. Whether the names in them are installed is for
`arena.templates.checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, PrivateAttr, model_validator

from arena.config.errors import KeyPath, Problem, WrittenAt, located
from arena.config.parts import ModelConfig, Name, Options, Price, Shape, VariableName
from arena.core import ConfigError, prompts
from db.models.columns import clean_text

MOST_STEPS = 200


class Written(Shape):
    """What is given as a whole, and where it was written, if in a file."""

    _source: str = PrivateAttr(default="")
    _lines: Mapping[KeyPath, WrittenAt] = PrivateAttr(default_factory=dict)

    def placed(self, source: str, lines: Mapping[KeyPath, WrittenAt]) -> Self:
        """The same, whose errors say the lines of a file."""
        self._source, self._lines = source, lines
        return self

    @property
    def origin(self) -> tuple[str, Mapping[KeyPath, WrittenAt]]:
        """Where it was written, as `placed` takes it."""
        return self._source, self._lines

    def lines_below(self, key: str) -> dict[KeyPath, WrittenAt]:
        """The lines of what stands under a key."""
        return {path[1:]: at for path, at in self._lines.items() if path[:1] == (key,)}

    @property
    def source(self) -> str:
        """The file, or the name."""
        return self._source or f"the template {getattr(self, 'name', '')!r}"

    def error(self, *problems: Problem) -> ConfigError:
        """An error that says where its causes are."""
        return ConfigError(located(self.source, problems, self._lines))


def _storable(text: str) -> str:
    if clean_text(text) != text:
        raise ValueError("expected text without NUL or half of a surrogate pair, found one")
    return text


Description = Annotated[str, Field(max_length=10_000), AfterValidator(_storable)]
TemplateText = Annotated[str, Field(min_length=1, max_length=1_000_000), AfterValidator(_storable)]


class Personality(Shape):
    """How an agent thinks, what it is told, and what its prompt says of it."""

    kind: Name = Field(default="thinking", description="thinking, remembering, ...")
    options: Options = Field(default={}, description="Options of the kind.")
    prompt: Name | None = Field(
        default=None, description="A prompt of the tournament's file or of the catalogue."
    )
    text: TemplateText | None = Field(default=None, description="A prompt of its own.")
    vars: dict[VariableName, str | int | float] = Field(
        default={}, description="What the prompt says as {{vars.NAME}}."
    )

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if self.prompt is not None and self.text is not None:
            raise ValueError("expected either 'prompt' or 'text', found both")
        if prompts.VARS in self.options:
            raise ValueError("expected 'vars' beside 'options', found it in them")
        return self


class ModelTemplate(Shape):
    """Which model answers, by its name or, with `litellm_model`, defined here; and the params that
    are laid over those of the model, whichever it is."""

    name: Name | None = Field(
        default=None, description="A model of the file or of the catalogue, or what it is called."
    )
    params: Options = Field(default={}, description="Sent with every call: temperature, ...")
    litellm_model: Name | None = Field(default=None, description="openai/gpt-4o-mini, ...")
    api_base: str | None = Field(default=None, min_length=1, description="URL of the endpoint.")
    api_key_env: str | None = Field(
        default=None,
        min_length=1,
        description="The environment variable that holds the key; never the key itself.",
    )
    api_key_file: str | None = Field(
        default=None, min_length=1, description="Instead of it the file that holds the key alone."
    )
    input_price: Price | None = Field(default=None, description="Dollars per million tokens.")
    output_price: Price | None = Field(default=None, description="Dollars per million tokens.")
    provider: Name | None = Field(default=None, description="Who answers.")
    system: Literal["system", "user"] = Field(
        default="system", description="`user` for a model that takes no system message."
    )

    @model_validator(mode="after")
    def _defined_or_named(self) -> Self:
        said = self.model_dump(exclude_defaults=True, exclude={"name", "params"})
        if self.litellm_model is not None:
            ModelConfig(name=self.name or "model", **said, params=self.params)
        elif said:
            raise ValueError(
                f"expected 'litellm_model' beside {next(iter(said))!r}, found none: a model that "
                "is only named is defined where its name is"
            )
        return self

    def written(self) -> str | dict[str, Any] | None:
        """The model as a tournament file has it: its name, or its definition without params."""
        if self.litellm_model is None:
            return self.name
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"params"})


class ExpectedEvent(Shape):
    """A step of an event flow: a kind of event, and what is expected of it."""

    event: Name = Field(description="As `arena events types` lists it.")
    note: Description | None = None


def _unnamed(config: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    for key, why in (
        ("name", "a tournament is named where it is made"),
        ("template", "a template is made from no other one"),
    ):
        if key in config:
            raise ValueError(f"expected no {key!r} here, because {why}")
    return config


Config = Annotated[dict[str, JsonValue], AfterValidator(_unnamed)]
RoleCounts = dict[Name, Annotated[int, Field(ge=1, le=256)]]
Flow = Annotated[tuple[ExpectedEvent, ...], Field(strict=False, max_length=MOST_STEPS)]


class AgentTemplateCreate(Written):
    """An agent template to be made."""

    name: Name
    description: Description | None = None
    personality: Personality = Personality()
    model: ModelTemplate = ModelTemplate()
    tools: dict[Name, Options] = Field(
        default={}, description="Installed tools by name, each with its configuration."
    )


class AgentTemplateUpdate(Written):
    """What is to be changed of an agent template: what is said replaces what was, whole."""

    name: Name | None = None
    description: Description | None = None
    personality: Personality | None = None
    model: ModelTemplate | None = None
    tools: dict[Name, Options] | None = None


class AgentTemplateResponse(AgentTemplateCreate):
    """An agent template as it is on record."""

    id: int
    created_at: datetime
    updated_at: datetime


class TournamentTemplateCreate(Written):
    """A tournament template to be made."""

    name: Name
    description: Description | None = None
    config: Config = Field(
        default={}, description="As in a tournament file, without its name; all of it, or a part."
    )
    roles: RoleCounts = Field(
        default={}, description="What the environment deals: how many players have each role."
    )
    event_flow: Flow = ()


class TournamentTemplateUpdate(Written):
    """What is to be changed of a tournament template: what is said replaces what was, whole."""

    name: Name | None = None
    description: Description | None = None
    config: Config | None = None
    roles: RoleCounts | None = None
    event_flow: Flow | None = None


class TournamentTemplateResponse(TournamentTemplateCreate):
    """A tournament template as it is on record."""

    id: int
    created_at: datetime
    updated_at: datetime
