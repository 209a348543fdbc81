"""Says what the branches of a game came to: how they ended, the effect, and where to look."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from arena.cli.live_status import Screen
from arena.cli.output import advise, count, money, percent, print_line, safe, tell
from arena.cli.run_to_end import actual_over_predicted

if TYPE_CHECKING:
    from arena.forecast.review import Review
    from arena.replay.branch import BranchProgress, BranchReport

_LISTED = 10

Bounds = tuple[float, float] | None


class BranchView:
    """Shows on stderr how far branches are; a context manager."""

    def __init__(self, clock: Callable[[], float], stream: TextIO | None = None) -> None:
        self._screen = Screen(clock, stream)
        self._told = 0

    def __enter__(self) -> Self:
        self._screen.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._screen.__exit__(kind, error, traceback)

    def say(self, message: str) -> None:
        """Print a line, above the live view where there is one."""
        self._screen.say(message)

    def update(self, progress: BranchProgress) -> None:
        """Take a report; drawn when the last drawing is old enough."""
        for said in progress.news[self._told :]:
            self.say(said)
        self._told = len(progress.news)

        def line() -> str:
            void = f" · {progress.void:,} void" if progress.void else ""
            return (
                f"{progress.done:,}/{count(progress.total, 'game')}{void} · "
                f"{count(progress.turns, 'turn')} · {count(progress.calls, 'call')} · "
                f"{money(progress.cost)}"
            )

        self._screen.show(line, lambda: safe(line()))


def show_branches(
    report: BranchReport, seats: Mapping[int, str], db: str | None, review: Review | None = None
) -> None:
    """The outcome on stdout; what it cost and what to type next on stderr."""
    for line in sentences(report, seats):
        print_line(safe(line))
    where = "" if db is None else f" --db {shlex.quote(db)}"
    if report.error:
        advise(f"the first error: {report.error}")
    if report.void:
        lost = "1 game is" if report.void == 1 else f"{report.void:,} games are"
        advise(
            f"{lost} without a result; see: arena games --parent {report.game_id} "
            f"--status void{where}"
        )
    tell(f"spent {money(report.cost)}")
    if review is not None:
        for line in actual_over_predicted(review):
            tell(line)
    if report.branches:
        tell(f"to compare: arena diff {report.game_id} {report.branches[0]}{where}")
        tell(f"to read: arena show {report.branches[0]}{where}")


def sentences(report: BranchReport, seats: Mapping[int, str]) -> Iterator[str]:
    """What was played and what came of it, in lines for people."""
    changes = ", ".join(f"player {player} is {agent}" for player, agent in sorted(seats.items()))
    yield f"game {report.game_id} from turn {report.turn} on, where {changes}"
    for noun, games in (("branches", report.branches), ("controls", report.controls)):
        if games:
            yield f"{noun}: {_numbers(games)}"
    who = report.described
    if report.share is None:
        yield "no branch came to an end"
        return
    said = f"{who} won {_share(report.share, report.share_interval)} of the branches"
    if report.control_share is not None:
        said += f", {_share(report.control_share, report.control_interval)} of the controls"
    if report.recorded_share is not None:
        said += f"; in the recorded game {_recorded(report.recorded_share)}"
    yield said
    if report.effect is not None:
        yield _effect(report.effect, report.effect_interval)


def _effect(effect: float, bounds: Bounds) -> str:
    said = f"the effect is {_points(effect)} points"
    if bounds is None:
        return said
    low, high = bounds
    clear = low > 0 or high < 0
    meaning = "more than chance explains" if clear else "chance alone may explain it"
    return f"{said} (95 %: {_points(low)} to {_points(high)}): {meaning}"


def _share(share: float, bounds: Bounds) -> str:
    if bounds is None:
        return percent(share)
    return f"{percent(share)} (95 %: {percent(bounds[0])} to {percent(bounds[1])})"


def _recorded(share: float) -> str:
    return "it won" if share == 1 else "it lost" if share == 0 else f"it had {percent(share)}"


def _points(share: float) -> str:
    points = round(100 * share)
    return f"{'−' if points < 0 else '+' if points else ''}{abs(points)}"


def _numbers(games: Sequence[int]) -> str:
    """`game 61`, `games 61 to 70`, `games 61, 64 and 70`."""
    if len(games) == 1:
        return f"game {games[0]}"
    if len(games) > 2 and games[-1] - games[0] == len(games) - 1:
        return f"games {games[0]} to {games[-1]}"
    listed = [str(game) for game in games[:_LISTED]]
    if len(games) > _LISTED:
        return f"games {', '.join(listed)} and {len(games) - _LISTED:,} more"
    return f"games {', '.join(listed[:-1])} and {listed[-1]}"
