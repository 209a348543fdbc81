"""`arena leaderboard`: agents by rating."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from arena.cli.options import AsJson, Database


class By(StrEnum):
    """What a row of the leaderboard stands for."""

    agent = "agent"
    model = "model"
    prompt = "prompt"
    kind = "kind"


def leaderboard(
    tournament: Annotated[
        str | None, typer.Option(metavar="T", help="The standings of a tournament.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(metavar="E", help="Only this environment, over all its tournaments."),
    ] = None,
    by: Annotated[
        By,
        typer.Option(
            metavar="PART",
            help="agent, or model, prompt or kind: the average of the agents that share it.",
        ),
    ] = By.agent,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many rows.")] = 50,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Rank agents by rating.

    Each environment has ratings of its own, with 95 % intervals."""


def show_standings(url: str, tournament: str) -> None:
    """The final standings of a tournament, on stdout."""
