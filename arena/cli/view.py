"""`arena view`: the pages of a database, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.options import DatabaseUrl


def view(
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65535, metavar="N", help="The port on loopback; 0: any free one."
        ),
    ] = 8811,
    open_: Annotated[bool, typer.Option("--open", help="Open the pages in the browser.")] = False,
    db: DatabaseUrl = None,
) -> None:
    """Look at a database in the browser.

    The leaderboard, the games, each turn by turn and as each player saw it. The address
    holds a token, without which nothing is shown, and only this machine can ask. Nothing but boards
    that were computed is written. Ctrl-C ends it."""
    from arena.cli.output import tell
    from arena.core import UsageError

    try:
        from arena.viewer.serving import serve
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the pages need {error.name}: type `python -m pip install 'llm-arena[pages]'`"
        ) from error

    def ready(address: str) -> None:
        typer.echo(address)
        tell("open it in a browser on this machine; Ctrl-C ends it")
        if open_:
            typer.launch(address)

    serve(db, port, ready)
