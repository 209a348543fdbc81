"""Prints a game for people: who sat where, what the rules said, who did what, how it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from arena.cli.output import count, duration, moment, money, safe
from arena.cli.transcript_lines import Page, milliseconds, player_name
from arena.core.text import lines
from arena.reports.narration import Announcement, Move, Shown, Turn, plain, tell_story

if TYPE_CHECKING:
    from rich.console import Console

_RULES_LINES = 12  # of the first announcement to each player

_PHASE = re.compile(r"^\W*(night|day|dawn|dusk|phase|round|voting|starting round)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\s+-\s+")
_LOSS = re.compile(r"\b(killed|eliminated|died|lynched|executed)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seat:
    """A player and how it came out; `won` is None while nobody knows."""

    index: int
    agent: str
    role: str | None = None
    team: str | None = None
    rank: int | None = None
    invalid_actions: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt at a model, as `--calls` shows it; messages are (role, text). `charged` is what
    it counts against a budget where that is not its cost; a `cached` answer was on record."""

    model: str
    call_number: int
    attempt: int
    messages: Sequence[tuple[str, str]]
    answer: str | None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    response_tokens: int | None = None
    cost: float | None = None
    total_ms: float | None = None
    error: str | None = None
    charged: float | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Play:
    """Everything a transcript says about one game. `times_ms[i]`, `marks[i]` (what is odd about
    its calls, in a word) and `calls[i]` belong to `turns[i]`. A branch has the game that it comes
    from as its `parent`, and the first turn that was played anew."""

    game: int
    environment: str | None
    tournament: str | None
    seed: int | None
    status: str
    seats: Sequence[Seat]
    turns: Sequence[Turn]
    times_ms: Sequence[float | None]
    winning_team: str | None = None
    termination: str | None = None
    reason: str | None = None
    void_cause: str | None = None
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    number_of_calls: int = 0
    cost: float | None = None
    parent: tuple[int, int] | None = None
    marks: Sequence[str] = ()
    calls: Sequence[Sequence[Call]] = field(default=())


def print_play(out: Console, play: Play) -> None:
    """The whole transcript."""
    printer = _Printer(Page(out), play)
    printer.head()
    printer.story()
    printer.end()


class _Printer:
    def __init__(self, page: Page, play: Play) -> None:
        self._page = page
        self._play = play
        self._seats = {seat.index: seat for seat in play.seats}
        self._opened = False
        self._after_move = False

    # -- head -----------------------------------------------------------------

    def head(self) -> None:
        play = self._play
        title = Text.assemble((f"Game {play.game}", "bold"))
        for part in (play.environment, play.tournament):
            if part:
                title.append(" · ").append_text(safe(part))
        if play.seed is not None:
            title.append(f" · seed {play.seed}", "dim")
        self._page.print(title)
        if play.parent:
            self._page.print(
                Text("branch of game {}, played anew from turn {}".format(*play.parent))
            )
        if play.started_at:
            self._page.print(Text(moment(play.started_at), "dim"))
        self._page.print(Text())
        for seat in play.seats:
            self._page.print(self._name(seat.index))
        self._page.print(Text())

    def _name(self, player: int) -> Text:
        seat = self._seats.get(player)
        return player_name(player) if seat is None else player_name(player, seat.agent, seat.role)

    # -- story ----------------------------------------------------------------

    def story(self) -> None:
        for event in tell_story(self._play.turns):
            if isinstance(event, Move):
                self._move(event.turn)
            elif isinstance(event, Announcement):
                self._announcement(event)
            else:
                self._shown(event)

    def _announcement(self, event: Announcement) -> None:
        first, *rest = lines(event.text)
        alone = min(event.audience) if len(event.audience) == 1 and len(self._seats) > 1 else None
        if alone is None and _PHASE.match(first):
            first, *more = _SENTENCE.split(first.strip(" #=-"), maxsplit=1)
            rest = more + rest
            self._space()
            self._page.rule(safe(first, "bold"))
        else:
            self._pause()
            style = "bold red" if _LOSS.search(first) else "italic"
            to = "" if alone is None else f"to player {alone}: "
            self._page.block(Text("  "), first, style, lead=Text(to, "dim"))
        hidden = 0
        if event.opening and not self._play.calls:
            # The rules of the game are read once; what differs is in the cast.
            hidden = max(len(rest) - (0 if self._opened else _RULES_LINES), 0)
            self._opened = True
        for line in rest[: len(rest) - hidden]:
            self._page.block(Text("  "), line, "dim")
        if hidden:
            self._page.print(Text(f"  … {count(hidden, 'more line')}", "dim"))

    def _shown(self, event: Shown) -> None:
        self._pause()
        self._page.print(Text(f"  player {event.player} is shown:", "dim"))
        self._page.text(Text("  ┆ ", "dim"), event.text, "dim")

    def _move(self, place: int) -> None:
        turn = self._play.turns[place]
        took = self._play.times_ms[place] if place < len(self._play.times_ms) else None
        note = f"turn {turn.number}"
        if took is not None:
            note += f" · {milliseconds(took)}"
        if place < len(self._play.marks) and self._play.marks[place]:
            note += f" · {self._play.marks[place]}"
        self._space()
        if self._play.parent and turn.number == self._play.parent[1]:
            self._page.rule(Text("from here on played anew", "dim"))
            self._space()
        self._after_move = True
        self._page.both_ends(self._name(turn.player), Text(note, "dim"))
        for call in self._play.calls[place] if self._play.calls else ():
            self._call(call)
        if turn.action is None:
            self._page.print(Text("  has not acted", "dim italic"))
            return
        self._page.quote(turn.action, turn.player)
        if turn.submitted is not None and plain(turn.submitted) != plain(turn.action):
            self._page.print(Text("  the rules were given:", "dim"))
            self._page.quote(turn.submitted, turn.player, style="dim")
        if turn.invalid:
            self._page.print(Text("  refused by the rules", "bold red"))
        if turn.lapse:
            self._page.print(Text(f"  lapse: {turn.lapse.replace('_', ' ')}", "bold red"))

    def _call(self, call: Call) -> None:
        facts = [f"call {call.call_number}"]
        if call.attempt:
            facts.append(f"attempt {call.attempt}")
        facts.append(call.model)
        if call.prompt_tokens is not None or call.response_tokens is not None:
            facts.append(f"{call.prompt_tokens or 0} + {call.response_tokens or 0} tokens")
        if call.cost is not None:
            facts.append(money(call.cost))
        if call.total_ms is not None:
            facts.append(milliseconds(call.total_ms))
        if call.finish_reason:
            facts.append(call.finish_reason)
        if call.cached:
            facts.append("from the cache")
        if call.charged is not None and call.charged != call.cost:
            facts.append(f"charged {money(call.charged)}")
        self._page.block(Text("  "), " · ".join(facts), "dim bold")
        for role, content in call.messages:
            self._page.block(Text("  "), f"{role}:", "dim")
            self._page.text(Text("  ┆ ", "dim"), content.strip("\n"), "dim")
        if call.error is not None:
            self._page.block(Text("  "), f"error: {call.error}", "red")
        elif call.answer is None:
            self._page.block(Text("  "), "no answer on record", "red")
        else:
            self._page.block(Text("  "), "answer:", "dim")
            self._page.text(Text("  ┆ ", "dim"), call.answer.strip("\n"), "")

    # -- end ------------------------------------------------------------------

    def end(self) -> None:
        play = self._play
        self._page.print(Text())
        self._page.rule()
        print_result(self._page, play)
        facts = [count(len(play.turns), "turn"), count(play.number_of_calls, "call")]
        if play.cost is not None:
            facts.append(money(play.cost))
        if play.started_at and play.finished_at:
            facts.append(duration((play.finished_at - play.started_at).total_seconds()))
        self._page.print(Text(" · ".join(facts), "dim"))

    # -- spaces ---------------------------------------------------------------

    def _space(self) -> None:
        self._page.print(Text())
        self._after_move = False

    def _pause(self) -> None:
        """An empty line between what somebody did and what came of it."""
        if self._after_move:
            self._space()


def print_result(page: Page, play: Play) -> None:
    """Who won and why, and how each player came out."""
    for text in _result(play):
        page.print(text)
    if play.status != "completed" or all(seat.rank is None for seat in play.seats):
        return
    for seat in sorted(play.seats, key=lambda seat: (seat.rank or 0, seat.index)):
        line = Text("  ").append_text(_outcome(seat, play.seats)).append(" ")
        line.append_text(player_name(seat.index, seat.agent, seat.role))
        if seat.invalid_actions:
            line.append(f"  {count(seat.invalid_actions, 'invalid action')}", "red")
        page.print(line)


def _result(play: Play) -> Iterator[Text]:
    if play.status == "void":
        yield Text.assemble(("Void", "bold red"), f": {play.void_cause or 'no result'}")
        for line in lines(play.error or "")[-8:]:
            yield Text("  ").append_text(safe(line, "red"))
    elif play.status != "completed":
        yield Text(f"The game is {play.status}.", "bold yellow")
    else:
        winner = play.winning_team
        for seat in play.seats:
            if winner == f"Player {seat.index}":
                winner = f"{winner} {seat.agent}"
        result = f"{winner} won" if winner else "Nobody won alone"
        yield safe(result, "bold green" if winner else "bold")
        if play.reason:
            yield safe(" ".join(lines(play.reason)))
        if play.termination and play.termination != "natural":
            yield Text(f"ended by: {play.termination.replace('_', ' ')}", "yellow")


def _outcome(seat: Seat, seats: Sequence[Seat]) -> Text:
    if seat.rank is None:
        return Text("?      ")
    best = min((other.rank for other in seats if other.rank is not None), default=0)
    worst = max((other.rank for other in seats if other.rank is not None), default=0)
    if best == worst:
        return Text("drew   ", "yellow")
    if seat.rank == best:
        return Text("won    ", "green")
    return Text("lost   " if worst == 1 else f"place {seat.rank + 1}", "red")
