"""`arena events rebuild`: tells the events of games on record again, and has them read anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from arena.cli.output import advise, complain, count, print_json, print_line, safe, tell
from arena.cli.sessions import existing
from arena.cli.side_spending import SideSpending

if TYPE_CHECKING:
    from arena.aside.readings import ReaderChoice
    from arena.replay.events import ToldGame
    from db.repository.positions import PositionDifference
    from db.selection import Selection

_EVERY = 100  # games between two lines of progress
_EVERY_ASKED = 10  # where a model is asked about each


def choice_of(
    reader: str | None,
    model: str | None,
    budget: float | None,
    concurrency: int,
    *,
    check: bool,
    dry_run: bool,
) -> ReaderChoice | None:
    """The reader that was asked for; None for whoever read a game before. Raises UsageError."""
    from arena.core import UsageError

    if reader is None:
        for name, value in (("model", model), ("budget", budget), ("dry-run", dry_run or None)):
            if value is not None:
                raise UsageError(f"--{name} goes with --reader, as in --reader model --model NAME")
        return None
    if check and dry_run:
        raise UsageError("--check asks nobody: leave out --dry-run")

    from arena.aside.readings import ReaderChoice

    return ReaderChoice(reader, model, budget, concurrency)


def rebuild(
    selection: Selection,
    db: str | None,
    choice: ReaderChoice | None,
    *,
    check: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """Tell the events again, or compare; exits with 1 where a game cannot be told, or differs."""
    from dataclasses import asdict

    from arena.core import Pause
    from arena.replay.events import rebuild_events
    from arena.replay.positions import count_positions, recounted
    from db.queries.counters import behind

    games = total = left = 0
    wrong: list[ToldGame] = []
    stopped: str | None = None
    every = _EVERY if choice is None or choice.model is None else _EVERY_ASKED
    differing: list[PositionDifference] = []
    late: list[str] = []
    with existing(db) as database:
        spending = SideSpending(database)
        if not check and (asked := count_positions(database, selection)):
            tell(f"{count(asked, 'game')} of an earlier release asked where they stood")
        telling = rebuild_events(
            database, selection, check=check, everything=everything, choice=choice
        )
        try:
            for left, found in telling:
                games += 1
                total += found.events
                if found.error is not None or (check and not found.ok):
                    wrong.append(found)
                if left and games % every == 0:
                    tell(f"{games:,} of {count(games + left, 'game')}")
        except Pause as pause:
            stopped = str(pause)
        spent = spending.plain()
        spending.say()
        if check or everything:
            differing = recounted(database, check=check)
        if games and not check:
            with database.session() as session:
                late = behind(session, selection)
    if as_json:
        print_json(
            {
                "games": games,
                "events": total,
                "checked_only": check,
                "wrong": [asdict(found) for found in wrong],
                "positions": [asdict(found) for found in differing],
                "stopped": stopped,
                **spent,
            }
        )
    else:
        for found in wrong:
            said = found.difference or (found.error or "").strip().splitlines()[-1]
            print_line(safe(f"game {found.game_id}: {said}"))
        if games or stopped is None:
            print_line(_summary(games, total, len(wrong), check=check))
    if wrong:
        complain(
            f"{count(len(wrong), 'game')} of {games:,} "
            + ("have other events than those stored" if check else "cannot be told")
        )
    if differing:
        complain(
            f"{count(len(differing), 'position')} had other counts than the games say"
            + ("; `arena events rebuild --all` counts again" if check else ": counted again")
        )
    if late:
        advise(f"`arena counters rebuild` counts the votes and claims of {', '.join(late)} again")
    if stopped is not None:
        complain(stopped)
        advise("the games before it are told; the same command continues there")
    if wrong or stopped is not None or (check and differing):
        raise typer.Exit(1)


def _summary(games: int, total: int, wrong: int, *, check: bool) -> str:
    what = f"{count(games, 'game')}, {count(total, 'event')}"
    if check:
        return f"{what}: " + ("what is stored is what the records tell" if not wrong else "differ")
    return f"{what} told" if games else "every finished game has its events"


def price(
    selection: Selection,
    db: str | None,
    choice: ReaderChoice | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """Say what a reader would ask, and what that costs; nothing is sent."""
    from dataclasses import asdict

    from arena.replay.reading_price import price_of_reading

    assert choice is not None
    with existing(db) as database:
        found = price_of_reading(database, selection, choice, everything=everything)
    if as_json:
        print_json(asdict(found))
        return
    told = f"{count(found.games, 'game')}, {found.speeches:,} speeches: "
    told += f"{count(found.calls, 'call')} to make"
    if found.dollars is not None:
        told += f", about ${found.dollars:.4g}"
    if found.most is not None and found.most != found.dollars:
        told += f", at most ${found.most:.4g}"
    print_line(told)
    if found.dollars is None:
        advise("the price of the model is not known: give it prices with `arena models add`")
    if found.untold:
        advise(f"{count(found.untold, 'game')} cannot be played again, and not read")
