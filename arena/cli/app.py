"""Puts the commands together, and turns what goes wrong into a line and an exit code.

Exit codes: 0, 1 (finished, but something needs attention), 2 (usage or configuration), 130
(interrupted, can be continued).
"""

from __future__ import annotations

import gc
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from arena.cli import (
    INTERRUPTED,
    agents,
    branch,
    compare,
    database,
    diff,
    environments,
    games,
    head_to_head,
    kinds,
    leaderboard,
    models,
    prompts,
    ratings,
    replay,
    resume,
    run,
    schema,
    show,
)
from arena.cli import plan as planning
from arena.cli.output import complain


class _Arena(TyperGroup):
    """The root command: an error for people is printed without its traceback."""

    def invoke(self, ctx: Any) -> Any:
        gc.enable()
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if not isinstance(error, _for_people()):
                raise
            complain(str(error))
            raise typer.Exit(error.exit_code) from error


def _for_people() -> tuple[type[Any], ...]:
    """The errors to be printed without a traceback. A room that raised one has been imported;
    one that has not been costs nothing here."""
    names = (("arena.core", "ArenaError"), ("db.errors", "DatabaseError"))
    return tuple(
        getattr(sys.modules[module], name) for module, name in names if module in sys.modules
    )


app = typer.Typer(
    name="arena",
    cls=_Arena,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"arena {version('llm-arena')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Tournaments between language-model agents on text games."""


app.command()(run.run)
app.command()(resume.resume)
app.command()(leaderboard.leaderboard)
app.command("head-to-head")(head_to_head.head_to_head)
app.command()(games.games)
app.command()(show.show)
app.command()(replay.replay)
app.command()(branch.branch)
app.command()(diff.diff)
app.command()(compare.compare)
app.command("plan")(planning.plan)
for _group in (agents, models, prompts, kinds, environments, ratings):
    app.add_typer(_group.app)
app.add_typer(database.app)
app.command()(schema.schema)
