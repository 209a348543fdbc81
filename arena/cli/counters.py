"""`arena counters`: what agents used and how they behaved, counted again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl, EnvironmentOption, TournamentOption
from arena.cli.output import complain, console, count, print_json, safe, tell

if TYPE_CHECKING:
    from arena.record.counters import CountedTournament

app = typer.Typer(
    name="counters", help="Counters: what agents used, how they erred.", no_args_is_help=True
)

_EVERY = 10_000  # games between two lines of progress
_SHOWN = 10  # differences


@app.command()
def rebuild(
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare with what is stored, bit for bit; change nothing."),
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the tournaments whose counters are up to date.")
    ] = False,
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Count again what agents used, from the games.

    Without --all, in the tournaments whose counters were never made, or by an earlier release. It
    may be interrupted, and continues with the tournament at which it was. Exit code 1 when a check
    finds a difference, or counters that are not up to date."""
    from arena.cli.sessions import existing
    from arena.record.counters import rebuild_counters
    from db.queries.counters import behind
    from db.selection import Selection

    selection = Selection(tournament=tournament, environment=environment)
    counted: list[CountedTournament] = []
    with existing(db) as database:
        for _, each in rebuild_counters(
            database, selection, check=check, everything=everything, on_games=_progress
        ):
            counted.append(each)
        with database.session() as session:
            late = behind(session, selection)
    differences = [
        f"{each.tournament}: {difference}" for each in counted for difference in each.differences
    ]
    if as_json:
        print_json(
            {
                "tournaments": len(counted),
                "games": sum(each.games for each in counted),
                "checked_only": check,
                "behind": late,
                "differences": differences,
            }
        )
    else:
        for line in differences[:_SHOWN]:
            console().print(safe(line), soft_wrap=True)
        if len(differences) > _SHOWN:
            console().print(f"... and {len(differences) - _SHOWN:,} more")
        console().print(_summary(counted, check=check), soft_wrap=True)
    if late:
        complain(f"not up to date: {', '.join(late)}; run `arena counters rebuild`")
    if differences:
        complain(
            "the stored counters are not those of the games; run `arena counters rebuild --all`"
        )
    if late or differences:
        raise typer.Exit(1)


def _progress(games: int) -> None:
    if games % _EVERY == 0:
        tell(f"{games:,} games")


def _summary(counted: list[CountedTournament], *, check: bool) -> str:
    games = count(sum(each.games for each in counted), "game")
    what = f"{games} of {count(len(counted), 'tournament')}"
    if not check:
        return f"{what} counted" if counted else "every tournament has its counters"
    if any(each.differences for each in counted):
        return f"{what}: the stored counters differ"
    return f"{what}: the stored counters are those of the games, bit for bit"
