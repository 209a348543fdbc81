"""`arena init`: writes a tournament file to begin with."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import dollars
from arena.cli.output import tell

if TYPE_CHECKING:
    from arena.config.beginning import Beginning
    from arena.core import EnvironmentSpec

_FILE = Path("tournament.yaml")
_UNWRITTEN = "the file"


def init(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write; one that is there stays.")
    ] = _FILE,
    environment: Annotated[
        str | None,
        typer.Option(metavar="E", help="What is played; SecretMafia-v0-mended by default."),
    ] = None,
    players: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Players in every game; the fewest.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="M",
            help="LiteLLM's name of a model: openai/gpt-4o-mini. Given again, another; scripted "
            "ones by default.",
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="K", help="A kind of agent; thinking and remembering by default."),
    ] = None,
    games: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Games to play; 12 by default.")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(metavar="USD", callback=dollars, help="Most dollars to spend on it, ever."),
    ] = None,
) -> None:
    """Write a tournament file to begin with.

    From these options, or from a few questions where someone can be asked. The file is checked
    before it is written, says in comments what else there is, and never replaces another one."""
    from arena.core import UsageError

    if file.exists() or file.is_symlink():
        raise UsageError(f"{file} is there already, and stays as it is: name another file")
    if file.suffix not in {".yaml", ".yml"}:
        raise UsageError(f"{file}: expected a name that ends in .yaml")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent}: no such folder")
    from arena.config.beginning import (
        DEFAULT_ENVIRONMENT,
        DEFAULT_GAMES,
        Beginning,
        models_for,
        referee_for,
    )

    if _someone_is_there():
        environment = environment or typer.prompt(
            "What is played (arena environments list)", DEFAULT_ENVIRONMENT, err=True
        )
        if model is None:
            said = typer.prompt(
                "Models, by LiteLLM's names, with commas between them",
                ", ".join(models_for(environment)),
                err=True,
            )
            model = [name.strip() for name in said.split(",") if name.strip()]
        games = games or typer.prompt("Games", DEFAULT_GAMES, type=int, err=True)
    environment = environment or DEFAULT_ENVIRONMENT
    rules = _rules(environment)
    models = tuple(dict.fromkeys(model or models_for(environment)))
    _write(
        file,
        Beginning(
            name=file.stem,
            environment=environment,
            players=players or rules.min_players,
            models=models,
            kinds=tuple(dict.fromkeys(kind or ("thinking", "remembering"))),
            games=games or DEFAULT_GAMES,
            budget=budget,
            referee=referee_for(models) if rules.referee else None,
        ),
    )


def _someone_is_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _rules(environment: str) -> EnvironmentSpec:
    from arena import registry

    return registry.environment(environment, {})().spec


def _write(file: Path, beginning: Beginning) -> None:
    from arena.config import loads
    from arena.config.beginning import written
    from arena.core import ConfigError, UsageError
    from arena.orchestrator.preflight import prepare

    text = written(beginning)
    try:
        prepare(loads(text, source=_UNWRITTEN, folder=file.parent))
    except ConfigError as error:
        # Nobody can look up the lines of a file that is not there.
        said = re.sub(rf"{_UNWRITTEN}(:\d+)?: ", "", str(error))
        raise ConfigError(f"{file} is not written: {said}") from None
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror or error}") from None
    tell(f"wrote {file}; see what it would play: arena run {file} --dry-run")
