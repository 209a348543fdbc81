"""What a person sees while a tournament runs: a live view in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from arena.cli.evidence import evidence_line, evidence_lines
from arena.cli.live_status import Screen
from arena.cli.output import count, duration, money, safe

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

    from arena.orchestrator import ModelState, Progress

TOP = 5
_WINDOW = 10.0  # seconds over which turns/s is measured, at least,
_FEW = 20  # and turns: slow models end fewer in that time


class ProgressView:
    """Takes the orchestrator's reports and shows them on stderr; a context manager.

    `clock` gives seconds and is only asked how often to draw.
    """

    def __init__(self, clock: Callable[[], float], stream: TextIO | None = None) -> None:
        self._screen = Screen(clock, stream)
        self._speed: deque[tuple[float, int]] = deque()
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

    def update(self, progress: Progress) -> None:
        """Take a report; drawn when the last drawing is old enough."""
        for said in progress.news[self._told :]:
            self.say(said)
        self._told = len(progress.news)
        self._measure(progress)
        self._screen.show(lambda: self._line(progress), lambda: self._drawn(progress))

    def _measure(self, progress: Progress) -> None:
        """Keep when turns ended, as far back as the speed is measured."""
        if not self._speed or progress.turns > self._speed[-1][1]:
            self._speed.append((progress.elapsed, progress.turns))
        while len(self._speed) > 1:
            elapsed, turns = self._speed[1]
            if progress.elapsed - elapsed < _WINDOW or progress.turns - turns < _FEW:
                break
            self._speed.popleft()

    def _pace(self, progress: Progress) -> list[str]:
        """How fast turns end, as far as it is known."""
        if not progress.turns:
            return ["no turn yet"]
        begin, before = self._speed[0]
        turns, span = progress.turns - before, progress.elapsed - begin
        return [speed(turns / span)] if turns and span > 0 else []

    def _line(self, progress: Progress) -> str:
        facts = [*self._facts(progress), *_troubled(progress.models), duration(progress.elapsed)]
        if said := evidence_line(progress.evidence(), _names(progress)):
            facts.append(said)
        return " · ".join(facts)

    def _facts(self, progress: Progress) -> list[str]:
        facts = [f"{progress.games_done:,}/{count(progress.games_total, 'game')}"]
        if progress.games_void:
            facts.append(f"{progress.games_void:,} void")
        if progress.paused:
            facts.append(f"{progress.paused:,} paused")
        if progress.suspended:
            facts.append(f"{progress.suspended:,} suspended")
        return [
            *facts,
            f"{progress.games_running:,} running",
            *self._pace(progress),
            f"{count(progress.calls_in_flight, 'call')} in flight",
            _spent(progress),
            *_saturated(progress),
        ]

    def _drawn(self, progress: Progress) -> Group:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        total = max(progress.games_total, 1)
        settled = progress.games_done + progress.games_void
        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(ratio=1)
        bar.add_column(justify="right", no_wrap=True)
        bar.add_row(
            ProgressBar(total, settled),
            Text(f"{settled / total:.0%} · {duration(progress.elapsed)}"),
        )
        parts: list[RenderableType] = [
            bar,
            Text(" · ".join(self._facts(progress))),
            self._top(progress),
        ]
        for said in evidence_lines(progress.evidence(), _names(progress)):
            parts.append(safe(said))
        for model in _troubled(progress.models):
            line = safe(model, "yellow")
            line.truncate(self._screen.width, overflow="ellipsis")
            parts.append(line)
        if progress.waiting:
            waiting = count(progress.waiting, "finished game")
            parts.append(Text(f"with {waiting} that wait for an earlier one", "dim"))
        return Group(*parts)

    def _top(self, progress: Progress) -> Table:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
        table.add_column("", justify="right", style="dim")
        table.add_column("agent", no_wrap=True, overflow="ellipsis")
        for title in ("rating", "±95%", "games"):
            table.add_column(title, justify="right")
        # As `arena leaderboard` shows it: the average agent has 25.
        rows = progress.standings
        middle = sum(row.mu for row in rows) / len(rows) - 25 if rows else 0.0
        for place, row in enumerate(rows[:TOP], start=1):
            table.add_row(
                str(place),
                safe(row.name),
                f"{row.mu - middle:.2f}",
                f"{1.96 * row.sigma:.2f}",
                f"{row.games:,}",
            )
        return table


def _saturated(progress: Progress) -> list[str]:
    """What a process says that has more to do than it can."""
    if progress.at_once is not None:
        return [f"saturated: at most {count(progress.at_once, 'game')} at once"]
    return ["saturated"] if progress.times.saturated else []


def speed(turns: float) -> str:
    """Turns in a second: `40 turns/s`, `2.5 turns/s`, `12 turns/min`, `0.5 turns/min`."""
    number, unit = (turns, "s") if turns >= 0.995 else (60 * turns, "min")
    return f"{number:,.{int(number < 9.95)}f} turns/{unit}"


def _names(progress: Progress) -> dict[int, str]:
    return {row.agent_id: row.name for row in progress.standings}


def _spent(progress: Progress) -> str:
    """Against a budget the whole tournament counts, else this run."""
    if progress.budget is None:
        return money(progress.cost)
    return f"{money(progress.spent)} of {money(progress.budget)}"


def _troubled(models: Sequence[ModelState]) -> list[str]:
    """What is said about the models that games wait for."""
    said = []
    for model in models:
        waiting = f"{count(model.waiting, 'call')} waiting" if model.waiting else ""
        if model.state == "parked":
            said.append(f"{model.name} is parked, it only fails")
        elif model.state == "waiting":
            flying = f"{model.in_flight:,} of {model.limit:,} in flight"
            said.append(f"{model.name} is held back: {waiting or 'no call waiting'}, {flying}")
    if len(said) > TOP:
        said[TOP:] = [f"and {count(len(said) - TOP, 'model')} more like this"]
    return said
