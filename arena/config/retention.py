"""A file that says how long what of a database is kept: the policy of `arena db prune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from arena.config import document
from arena.config.errors import Problem, explain, found, located
from arena.config.parts import Shape
from arena.core import ConfigError

Days = Annotated[float, Field(ge=0, le=36_500, allow_inf_nan=False)] | Literal["never"]

_EXPECTED = "a retention policy (transcripts: 365, answers: ttl, logs: 30)"


class RetentionConfig(Shape):
    """Days after which something goes, or `never`."""

    transcripts: Days = Field(
        default=365, description="Of games that have ended: into Parquet files."
    )
    answers: Days | Literal["ttl"] = Field(
        default="ttl",
        description="Of the cache: removed; `ttl` is the longest that a tournament has them live.",
    )
    logs: Days = Field(default=30, description="Lines of the logs of runs: removed.")


def load_retention(path: str | Path) -> RetentionConfig:
    """The policy in a YAML file. Raises ConfigError with everything that is wrong with it."""
    read = document.read(document.text_of(path, "retention policy"), str(path), _EXPECTED)
    return _checked(read.data, str(path), read.lines)


def _checked(data: Any, source: str, lines: Any) -> RetentionConfig:
    if not isinstance(data, dict):
        raise ConfigError(
            located(source, [Problem((), f"expected {_EXPECTED}, found {found(data)}")], lines)
        )
    try:
        return RetentionConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(located(source, explain(error, RetentionConfig), lines)) from error
