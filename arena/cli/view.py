"""`arena view`: the pages of a database, on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import (
    AgentOption,
    DatabaseUrl,
    EnvironmentOption,
    LogJsonOption,
    SinceOption,
    TagOption,
    TournamentOption,
    UntilOption,
)


def view(
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65535, metavar="N", help="The port on loopback; 0: any free one."
        ),
    ] = 8811,
    open_: Annotated[bool, typer.Option("--open", help="Open the pages in the browser.")] = False,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="HOST",
            help="Answer other machines too, at this address of this one (0.0.0.0: all): people "
            "log in, so that some must have access (`arena access`).",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option("--tls-cert", metavar="FILE", help="With --tls-key: serve by HTTPS."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="The key of --tls-cert.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="DIR",
            help="Write the pages as files into this folder instead, to be opened or published "
            "without a server.",
        ),
    ] = None,
    calls: Annotated[
        bool,
        typer.Option(
            "--calls",
            help="With --export: also a page for each turn, with what models were sent and "
            "answered.",
        ),
    ] = False,
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    agent: AgentOption = None,
    tag: TagOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    log_json: LogJsonOption = None,
    db: DatabaseUrl = None,
) -> None:
    """Look at a database in the browser.

    The leaderboard, the games, each turn by turn and as each player saw it. The address
    holds a token, without which nothing is shown, and only this machine can ask; with --host others
    can, who log in with tokens of `arena access`. Nothing but boards that were computed, what you
    annotate and what people answer is written. Ctrl-C ends it.

    With --export nothing is served: the pages of the games that the filter chooses become files,
    which take the folder's place when all are written."""
    from arena.cli.output import advise, tell
    from arena.core import UsageError

    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together")
    for file in (tls_cert, tls_key):
        if file is not None and not file.is_file():
            raise UsageError(f"there is no file {file}")
    try:
        from arena.viewer.serving import LOOPBACK, Tls, serve
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the pages need {error.name}: type `python -m pip install 'llm-arena[pages]'`"
        ) from error

    given = {
        "tournament": tournament, "environment": environment, "agent": agent, "tag": tag,
        "since": since, "until": until,
    }  # fmt: skip
    if export is not None:
        _export(db, export, _where(given), calls=calls)
        return
    if calls or any(given.values()):
        raise UsageError("the filter and --calls are for --export DIR: pages have their own")

    here = host in (None, LOOPBACK, "localhost")
    tls = None if tls_cert is None or tls_key is None else Tls(tls_cert, tls_key)

    def ready(address: str) -> None:
        typer.echo(address)
        if not here and tls is None:
            advise(
                "without TLS everybody on the way reads tokens and pages: --tls-cert and --tls-key "
                "give it, or a proxy in front that has it"
            )
        where = "on this machine" if here else "and log in with a token of `arena access add`"
        tell(f"open it in a browser {where}; Ctrl-C ends it")
        if open_:
            typer.launch(address)

    from arena.cli.signals import Interrupts

    with Interrupts():
        serve(db, port, ready, host=host or LOOPBACK, tls=tls)


def _where(given: Mapping[str, str | Sequence[str] | None]) -> dict[str, str]:
    """The one filter as the pages are asked it: a value each. Raises UsageError for several."""
    from arena.core import UsageError

    where: dict[str, str] = {}
    for name, value in given.items():
        match [value] if isinstance(value, str) else list(value or ()):
            case []:
                pass
            case [only]:
                where[name] = only
            case several:
                raise UsageError(f"--{name} is given {len(several)} times: a copy has one of each")
    return where


def _export(db: str | None, folder: Path, where: Mapping[str, str], *, calls: bool) -> None:
    from arena.cli.output import count, tell
    from arena.cli.signals import stoppable
    from arena.viewer.static_copy import write_copy

    with stoppable("nothing was written: the same command writes all of it"):
        report = write_copy(db, folder, where=where, calls=calls)
    typer.echo(str(report.index))
    tell(
        f"{count(report.pages, 'page')} of {count(report.games, 'game')}, "
        f"{report.size / 1e6:.1f} MB: open it in a browser"
    )
