"""Finds the commands by entry point, and turns what goes wrong into a line and an exit code.

A command is a function with typer's annotations, or a `typer.Typer` of several, registered in the
group `arena.commands` under the name that is typed. It is imported when it runs, or when help lists
it. Exit codes: 0, 1 (finished, but something needs attention), 2 (usage or configuration), 130
(interrupted, can be continued).
"""

from __future__ import annotations

import gc
import sys
from copy import copy
from inspect import cleandoc, getdoc
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import solve_typer_info_help
from typer.models import TyperInfo

from arena import registry
from arena.cli.exit_codes import INTERRUPTED
from arena.cli.output import complain

# What a newcomer types comes first in help, everything else by name.
_FIRST = ("run", "resume", "leaderboard", "games", "show")


class _Arena(TyperGroup):
    """The root command: its commands are imported one by one, and an error for people is printed
    without its traceback."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # None until it is asked for.
        names = registry.names("commands")
        self.commands: Any = dict.fromkeys(sorted(names, key=_place))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if self.commands.get(cmd_name, self) is None:
            self.commands[cmd_name] = _made(cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if not self.commands:
            from arena.core import UsageError

            raise UsageError(
                "no command is registered: the installed package is older than this code; type "
                "`python -m pip install --no-deps --editable .` where its pyproject.toml is"
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        listing = copy(self)
        listing.commands = {name: _line(name) for name in self.commands}
        super(_Arena, listing).format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        # Imports make long-lived objects by the hundred thousand: at Python's own thresholds, to
        # look through them again and again is a seventh of what a short command costs.
        gc.set_threshold(10_000, 20, 20)
        gc.enable()
        typed = [*getattr(ctx, "_protected_args", ()), *ctx.args]
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except typer.BadParameter as error:
            from arena.cli.bad_values import reword

            reword(error)
            raise
        except Exception as error:
            said: Any = error if isinstance(error, _for_people()) else _damage(typed, error)
            if said is None:
                raise
            complain(str(said))
            raise typer.Exit(said.exit_code) from error


def _damage(typed: list[str], error: Exception) -> Exception | None:
    """What in the command's database may have made it fail, where it has opened one."""
    engine = sys.modules.get("db.engine")
    if engine is None:
        return None
    options = dict(pairwise(typed))
    joined = dict(word.split("=", 1) for word in typed if word.startswith("--db="))
    found: Exception | None = engine.damage_in(options.get("--db", joined.get("--db")), error)
    return found


def _place(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _made(name: str) -> Any:
    """The command of this name; one that cannot be loaded says so when it is run."""
    alone = typer.Typer()
    try:
        plugin = registry.load("commands", name)
        with registry.guarded("commands", name):
            if isinstance(plugin, typer.Typer):
                alone.add_typer(plugin, name=name)
            else:
                alone.command(name)(plugin)
            return _flowing(typer.main.get_group(alone).commands[name])
    except Exception as error:
        reason = _one_line(error)

    def refuse() -> None:
        from arena.core import UsageError

        raise UsageError(reason)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return TyperCommand(name, callback=refuse, help=reason, context_settings=anything)


def _flowing(command: Any) -> Any:
    """The command, and those below it, with help whose lines break where the terminal does and not
    where the docstring does; paragraphs stay."""
    if command.help:
        paragraphs = cleandoc(command.help).split("\n\n")
        command.help = "\n\n".join(" ".join(lines.split()) for lines in paragraphs)
    for each in getattr(command, "commands", {}).values():
        _flowing(each)
    return command


def _line(name: str) -> TyperCommand:
    """What help says of a command: its parameters, which take longer to make, are left out."""
    try:
        plugin = registry.load("commands", name)
        group = isinstance(plugin, typer.Typer)
        said = solve_typer_info_help(TyperInfo(plugin)) if group else getdoc(plugin)
    except Exception as error:
        said = _one_line(error)
    return TyperCommand(name, help=said)


def _one_line(error: Exception) -> str:
    if not isinstance(error, _for_people()):
        raise error
    return " ".join(str(error).split())


def _for_people() -> tuple[type[Any], ...]:
    """The errors to be printed without a traceback. Where a room has not been imported, none of
    its errors can have been raised, and help does not wait for it."""
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
