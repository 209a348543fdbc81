"""Prints a game for people: who sat where, what the rules said, what everybody did, how it ended.

Every line that a player wrote stands behind a bar in the player's colour, wrapped ones too, so
that no text can pass for another player or for the game.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.rule import Rule
from rich.text import Text

from arena.cli.output import count, duration, moment, money, safe
from arena.cli.story import Announcement, Move, Shown, Turn, plain, tell_story
from arena.text import lines

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
_BAR = "│ "
_WIDTH = 100  # a longer line is not read, it is searched for its beginning
_LONGEST = 20_000  # characters of a text, and
_TALLEST = 300  # lines: what is longer is a model gone wrong
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
    """One attempt at a model, as `--calls` shows it; messages are (role, text)."""

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


@dataclass(frozen=True, slots=True)
class Play:
    """Everything a transcript says about one game. `calls[i]` belongs to `turns[i]`."""

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
    calls: Sequence[Sequence[Call]] = field(default=())


def print_play(out: Console, play: Play) -> None:
    """The whole transcript."""
    width = min(out.width, _WIDTH)
    printer = _Printer(out, play, width)
    printer.head()
    printer.story()
    printer.end()


class _Printer:
    def __init__(self, out: Console, play: Play, width: int) -> None:
        self._out = out
        self._play = play
        self._width = max(width, 20)
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
        self._print(title)
        if play.started_at:
            self._print(Text(moment(play.started_at), "dim"))
        self._print(Text())
        for seat in play.seats:
            self._print(self._name(seat.index))
        self._print(Text())

    def _name(self, player: int) -> Text:
        """`3 Sharp (Doctor)`, in the player's colour."""
        seat = self._seats.get(player)
        colour = self._colour(player)
        name = Text(f"Player {player} ", f"bold {colour}")
        if seat is not None:
            name.append_text(safe(seat.agent, f"bold {colour}"))
            if seat.role:
                name.append_text(safe(f" · {seat.role}", colour))
        return name

    def _colour(self, player: int) -> str:
        return _COLOURS[player % len(_COLOURS)]

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
            self._print(Rule(safe(first, "bold"), align="left", style="dim", characters="─"))
        else:
            self._pause()
            style = "bold red" if _LOSS.search(first) else "italic"
            to = "" if alone is None else f"to player {alone}: "
            self._block(Text("  "), first, style, lead=Text(to, "dim"))
        hidden = 0
        if event.opening and not self._play.calls:
            # The rules of the game are read once; what differs is in the cast.
            hidden = max(len(rest) - (0 if self._opened else _RULES_LINES), 0)
            self._opened = True
        for line in rest[: len(rest) - hidden]:
            self._block(Text("  "), line, "dim")
        if hidden:
            self._print(Text(f"  … {count(hidden, 'more line')}", "dim"))

    def _shown(self, event: Shown) -> None:
        self._pause()
        self._print(Text(f"  player {event.player} is shown:", "dim"))
        self._text(Text("  ┆ ", "dim"), event.text, "dim")

    def _move(self, place: int) -> None:
        turn = self._play.turns[place]
        colour = self._colour(turn.player)
        took = self._play.times_ms[place] if place < len(self._play.times_ms) else None
        note = f"turn {turn.number}"
        if took is not None:
            note += f" · {_milliseconds(took)}"
        self._space()
        self._after_move = True
        self._print(_both_ends(self._name(turn.player), Text(note, "dim"), self._width))
        for call in self._play.calls[place] if self._play.calls else ():
            self._call(call)
        if turn.action is None:
            self._print(Text("  has not acted", "dim italic"))
            return
        self._quote(turn.action, colour)
        if turn.submitted is not None and plain(turn.submitted) != plain(turn.action):
            self._print(Text("  the rules were given:", "dim"))
            self._quote(turn.submitted, colour, style="dim")
        if turn.invalid:
            self._print(Text("  refused by the rules", "bold red"))

    def _quote(self, text: str, colour: str, style: str = "") -> None:
        if not text:
            self._print(Text("  says nothing", "dim italic"))
        self._text(Text(_BAR, colour), text, style)

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
            facts.append(_milliseconds(call.total_ms))
        if call.finish_reason:
            facts.append(call.finish_reason)
        self._block(Text("  "), " · ".join(facts), "dim bold")
        for role, content in call.messages:
            self._block(Text("  "), f"{role}:", "dim")
            self._text(Text("  ┆ ", "dim"), content.strip("\n"), "dim")
        if call.error is not None:
            self._block(Text("  "), f"error: {call.error}", "red")
        elif call.answer is None:
            self._block(Text("  "), "no answer on record", "red")
        else:
            self._block(Text("  "), "answer:", "dim")
            self._text(Text("  ┆ ", "dim"), call.answer.strip("\n"), "")

    # -- end ------------------------------------------------------------------

    def end(self) -> None:
        play = self._play
        self._print(Text())
        self._print(Rule(style="dim", characters="─"))
        for text in self._result():
            self._print(text)
        if play.status == "completed" and any(seat.rank is not None for seat in play.seats):
            for seat in sorted(play.seats, key=lambda seat: (seat.rank or 0, seat.index)):
                line = Text("  ").append_text(_outcome(seat, play.seats)).append(" ")
                line.append_text(self._name(seat.index))
                if seat.invalid_actions:
                    line.append(f"  {count(seat.invalid_actions, 'invalid action')}", "red")
                self._print(line)
        facts = [count(len(play.turns), "turn"), count(play.number_of_calls, "call")]
        if play.cost is not None:
            facts.append(money(play.cost))
        if play.started_at and play.finished_at:
            facts.append(duration((play.finished_at - play.started_at).total_seconds()))
        self._print(Text(" · ".join(facts), "dim"))

    def _result(self) -> Iterator[Text]:
        play = self._play
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

    # -- lines ----------------------------------------------------------------

    def _text(self, bar: Text, text: str, style: str) -> None:
        """A text behind its bar; one that nobody would read to its end is cut, and says so."""
        shown = lines(text[:_LONGEST])[:_TALLEST] if text else []
        for line in shown:
            self._block(bar, line, style)
        left = len(text) - len("\n".join(shown))
        if left > 0 and (len(text) > _LONGEST or len(lines(text)) > _TALLEST):
            self._print(Text(f"  … {count(left, 'more character')}; --json has them", "dim"))

    def _block(self, bar: Text, line: str, style: str, lead: Text | None = None) -> None:
        """One line behind its bar, wrapped into as many as it needs; each has the bar."""
        text = safe(line, style)
        if lead:
            text = lead.append_text(text)
        room = self._width - cell_len(bar.plain)
        for part in text.wrap(self._out, room, overflow="fold") or [Text()]:
            self._print(Text.assemble(bar, part))

    def _space(self) -> None:
        self._print(Text())
        self._after_move = False

    def _pause(self) -> None:
        """An empty line between what somebody did and what came of it."""
        if self._after_move:
            self._space()

    def _print(self, what: Text | Rule) -> None:
        if isinstance(what, Text):
            what.rstrip()
            self._out.print(what, soft_wrap=True)
        else:
            self._out.print(what, width=self._width)


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


def _both_ends(left: Text, right: Text, width: int) -> Text:
    gap = width - cell_len(left.plain) - cell_len(right.plain)
    return Text.assemble(left, " " * max(gap, 2), right)


def _milliseconds(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 10_000 else duration(ms / 1000)
