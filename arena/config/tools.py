"""How the tools of an agent are written in a tournament file, and what their calls may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema

from arena.core import UsageError, prompts
from arena.core.tools import ToolLimits, entries

_MOST = 32


def _entries(written: Sequence[Any]) -> tuple[JsonValue, ...]:
    try:
        found = entries(written)
    except UsageError as error:
        raise ValueError(str(error)) from error
    if len(found) > _MOST:
        raise ValueError(f"expected at most {_MOST} tools, found {len(found)}")
    return tuple({name: dict(options) for name, options in each.items()} for each in found)


ToolList = Annotated[
    tuple[JsonValue, ...],
    Field(strict=False),
    AfterValidator(_entries),
    WithJsonSchema(
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": "string"},
                    {
                        "type": "object",
                        "minProperties": 1,
                        "maxProperties": 1,
                        "additionalProperties": {"type": ["object", "null"]},
                    },
                ]
            },
        }
    ),
]
"""Names of tools, or each with its options: `[notes, {calculator: {digits: 12}}]`."""

_USUAL = ToolLimits()
_Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class ToolLimitsConfig(BaseModel):
    """What the calls of tools in one turn may take."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    calls: int = Field(default=_USUAL.calls, ge=1, le=100, description="Calls in a turn.")
    seconds: _Seconds = Field(default=_USUAL.seconds, description="Seconds of one call.")
    turn_seconds: _Seconds = Field(
        default=_USUAL.turn_seconds, description="Seconds of all calls of a turn."
    )
    argument_characters: int = Field(
        default=_USUAL.argument_characters,
        ge=100,
        le=60_000,
        description="Characters of arguments; a call with more is refused.",
    )
    result_characters: int = Field(
        default=_USUAL.result_characters,
        ge=100,
        le=100_000,
        description="Characters of a result; a longer one is cut.",
    )

    def said(self) -> dict[str, Any]:
        """Those that are not the usual ones, as they go on record."""
        return self.model_dump(exclude_defaults=True)


def without_unsaid(agent: dict[str, Any], names: Iterable[str] = prompts.BESIDE) -> None:
    """Take out of an agent's plain data what it has beside its kind's options and says nothing of:
    tournaments from before there were these keep their hash."""
    for name in names:
        usual = ToolLimitsConfig().model_dump() if name == "tool_limits" else None
        if not agent[name] or agent[name] == usual:
            del agent[name]
