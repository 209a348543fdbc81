"""Prints a game for people: who sat where, what the rules said, who did what, how it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text

from arena.cli.output import count, duration, moment, money, safe
from arena.cli.transcript_lines import Page, milliseconds, player_name
from arena.core.memory import MEMORY
from arena.core.text import lines, one_line
from arena.reports.narration import Announcement, Moved, Shown, plain

if TYPE_CHECKING:
    from rich.console import Console

    from arena.reports.calls import CallReport, SentMessage, ToolReport
    from arena.reports.game import GameReport, TurnReport
    from arena.reports.memory import TurnMemory

_RULES_LINES = 12  # of the first announcement to each player

_PHASE = re.compile(r"^\W*(night|day|dawn|dusk|phase|round|voting|starting round)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\s+-\s+")
_OUTCOME = 7  # characters of the widest usual one, `place 3`
_STYLES = {"won": "green", "drew": "yellow", "?": ""}
# What a turn's reading tells, by its field and value; whatever else it says is told as it stands.
_TOLD = {
    ("answer", "no tag"): "the tag is missing: all that was said is the action",
    ("answer", "no regex"): "nothing matches the pattern: all that was said is the action",
    ("answer", "no json"): "the field of JSON is missing: all that was said is the action",
    ("answer", "no tool"): "the tool was not called: all that was said is the action",
    ("notes", "read"): "",
    ("notes", "partly"): "notes: what was not rewritten stays as it was",
    ("notes", "cut"): "notes: cut, read as far as they go",
    ("notes", "lost"): "notes: lost, nothing in the answer could be read; the old ones stay",
    (
        "beliefs_read",
        "lost",
    ): "beliefs: lost, the answer could not be read; the old ones stay",
    ("draft", "kept"): "",
    ("draft", "changed"): "its draft was changed",
    ("dropped", "notes"): "notes that the answer repeated, or JSON around the action, are left out",
}
_SUSPECTS = 8  # players that are named
_LOSS = re.compile(r"\b(killed|eliminated|died|lynched|executed)\b", re.IGNORECASE)

# Characters: rules give a sentence.
_LONGEST_REASON = 20_000
_LONG_LAG = 100.0  # milliseconds for which a call waited here, that are told


def _sent(message: SentMessage, player: int) -> str:
    """What of a message was new to the player, the rest named."""
    size = f"{len(message.text):,} characters"
    if message.observation:
        return f"(all that player {player} has seen, {size}; new:)\n{message.new}"
    text = f"(as before, {size})" if message.known else message.text
    return "\n".join([*filter(None, [text]), *message.tool_calls])


def _told(reading: Any, *, remembers: bool) -> Iterator[str]:
    """How an action was read, where that was not as usual."""
    if not isinstance(reading, Mapping):
        return
    for name, value in reading.items():
        if name == MEMORY and remembers:
            continue
        if name == "suspects" and isinstance(value, Mapping):
            known = [pair for pair in value.items() if isinstance(pair[1], int | float)]
            most = sorted(known, key=lambda pair: -pair[1])[:_SUSPECTS]
            yield "suspects " + ", ".join(f"{player} ({much:.2f})" for player, much in most)
            continue
        if name == "beliefs" and isinstance(value, Mapping):
            yield from _believed(value)
            continue
        if told := _TOLD.get((name, str(value)), f"{name}: {value}"):
            yield told


def _believed(beliefs: Mapping[Any, Any]) -> Iterator[str]:
    """The likeliest role of each player, the surest first."""
    found = []
    for player, chances in beliefs.items():
        known = chances.items() if isinstance(chances, Mapping) else ()
        likely = [(chance, str(role)) for role, chance in known if isinstance(chance, int | float)]
        if likely:
            found.append((*max(likely), str(player)))
    if found:
        most = sorted(found, reverse=True)[:_SUSPECTS]
        told = ", ".join(f"{player} {role} ({chance:.2f})" for chance, role, player in most)
        yield f"believes {told}"


def print_game(out: Console, game: GameReport) -> None:
    """The whole transcript."""
    printer = _Printer(Page(out), game)
    printer.head()
    printer.story()
    printer.end()


class _Printer:
    def __init__(self, page: Page, game: GameReport) -> None:
        self._page = page
        self._game = game
        self._players = {player.index: player for player in game.seats}
        self._opened = False
        self._after_move = False

    # -- head -----------------------------------------------------------------

    def head(self) -> None:
        game = self._game
        title = Text.assemble((f"Game {game.game}", "bold"))
        for part in (game.environment, game.tournament):
            if part:
                title.append(" · ").append_text(safe(part))
        if game.seed is not None:
            title.append(f" · seed {game.seed}", "dim")
        self._page.print(title)
        if game.parent:
            self._page.print(Text("branch of game {}, live from turn {}".format(*game.parent)))
        if game.started_at:
            self._page.print(Text(moment(game.started_at), "dim"))
        self._page.print(Text())
        for player in game.seats:
            self._page.print(self._name(player.index))
        self._page.print(Text())

    def _name(self, player: int) -> Text:
        known = self._players.get(player)
        return player_name(player, *((known.agent, known.role) if known else ()))

    # -- story ----------------------------------------------------------------

    def story(self) -> None:
        for event in self._game.story():
            if isinstance(event, Moved):
                self._move(self._game.turns[event.turn])
            elif isinstance(event, Announcement):
                self._announcement(event)
            else:
                self._shown(event)

    def _announcement(self, event: Announcement) -> None:
        first, *rest = lines(event.text)
        alone = min(event.audience) if len(event.audience) == 1 and len(self._players) > 1 else None
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
        if event.opening and not any(turn.calls for turn in self._game.turns):
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

    def _move(self, turn: TurnReport) -> None:
        notes = [f"turn {turn.number}"]
        if turn.time_ms is not None:
            notes.append(milliseconds(turn.time_ms))
        if turn.cached:
            notes.append("from the cache")
        if turn.lost_calls:
            notes.append(f"{count(turn.lost_calls, 'call')} lost in flight")
        self._space()
        if self._game.parent and turn.number == self._game.parent[1]:
            self._page.rule(Text("live from here on", "dim"))
            self._space()
        self._after_move = True
        self._page.both_ends(self._name(turn.player), Text(" · ".join(notes), "dim"))
        for call in turn.calls:
            self._call(call, turn.player)
        for tool in turn.tools:
            self._tool(tool, whole=bool(turn.calls))
        if turn.action is None:
            self._page.print(Text("  has not acted", "dim italic"))
            return
        self._page.quote(turn.action, turn.player)
        if turn.submitted is not None and plain(turn.submitted) != plain(turn.action):
            self._page.print(Text("  the rules were given:", "dim"))
            self._page.quote(turn.submitted, turn.player, style="dim")
        if turn.how is not None:
            chosen = "nobody" if turn.target is None else turn.target
            self._page.block(Text("  "), f"chose {chosen} ({turn.how})", "dim")
        for told in _told(turn.reading, remembers=turn.memory is not None):
            self._page.block(Text("  "), told, "dim")
        if turn.memory is not None:
            self._memory(turn.memory)
        if turn.invalid:
            self._page.print(Text("  refused by the rules", "bold red"))
        if turn.lapse:
            self._page.print(Text(f"  lapse: {turn.lapse.replace('_', ' ')}", "bold red"))
        if turn.too_long:
            told = "the conversation is longer than its model's context (`overflow: lose`)"
            self._page.block(Text("  "), told, "red")
        if turn.cut:
            advice = "its tokens were used up before it spoke: raise max_tokens of the model"
            self._page.block(Text("  "), advice, "red")

    def _memory(self, memory: TurnMemory) -> None:
        """What it wrote about the game before, and what it was shown of earlier ones."""
        if memory.place is not None:
            about = f"its game at place {memory.place}"
            learned = count(len(memory.learned), "key point")
            self._page.block(Text("  "), f"learned from {about}: {learned}", "dim")
            for point in memory.learned:
                self._page.text(Text("  ┆ ", "dim"), point, "dim")
        if memory.recalled:
            self._page.block(Text("  "), "was shown of earlier games:", "dim")
            for point in memory.recalled:
                self._page.text(Text("  ┆ ", "dim"), point, "dim")

    def _call(self, call: CallReport, player: int) -> None:
        facts = [f"call {call.call_number}"]
        if call.attempt:
            facts.append(f"attempt {call.attempt}")
        facts.append(call.model)
        if call.prompt_tokens is not None or call.response_tokens is not None:
            facts.append(f"{call.prompt_tokens or 0} + {call.response_tokens or 0} tokens")
        if call.cached_tokens:
            facts.append(f"{call.cached_tokens} of them cached")
        if call.shared:
            facts.append(f"{call.shared:.0%} as before")
        if call.cost is not None:
            facts.append(money(call.cost))
        if call.total_response_time_ms is not None:
            facts.append(milliseconds(call.total_response_time_ms))
        if (call.lag_ms or 0.0) >= _LONG_LAG:
            facts.append(f"waited here for {milliseconds(call.lag_ms or 0.0)}")
        if call.finish_reason:
            facts.append(call.finish_reason)
        if call.cached:
            facts.append("from the cache")
        if call.charged is not None and call.charged != call.cost:
            facts.append(f"charged {money(call.charged)}")
        self._page.block(Text("  "), " · ".join(facts), "dim bold")
        if call.answered_by is not None:
            self._page.block(Text("  "), f"answered by: {call.answered_by}", "dim")
        for message in call.messages:
            self._page.block(Text("  "), f"{message.role}:", "dim")
            self._page.text(Text("  ┆ ", "dim"), _sent(message, player).strip("\n"), "dim")
        if call.error is not None:
            self._page.block(Text("  "), f"error: {call.error}", "red")
            if call.advice is not None:
                self._page.block(Text("  "), call.advice, "red")
        elif call.answer is None:
            self._page.block(Text("  "), "no answer on record", "red")
        else:
            if call.thoughts is not None:
                self._page.block(Text("  "), "thoughts:", "dim")
                self._page.text(Text("  ┆ ", "dim"), call.thoughts.strip("\n"), "dim italic")
            self._page.block(Text("  "), "answer:", "dim")
            said = call.answer if call.said is None else call.said
            if said or not call.tool_calls:
                self._page.text(Text("  ┆ ", "dim"), said.strip("\n"), "")
            for called in call.tool_calls:
                self._page.text(Text("  ┆ ", "dim"), called, "")

    def _tool(self, tool: ToolReport, *, whole: bool) -> None:
        """A call of a tool: in a line, or with all that it said."""
        facts = [f"tool {one_line(tool.made, 2000 if whole else 80)}"]
        if tool.took_ms is not None:
            facts.append(milliseconds(tool.took_ms))
        if tool.error is not None:
            facts.append(tool.error)
        failed = tool.error is not None or tool.result is None
        self._page.block(Text("  "), " · ".join(facts), "red" if failed else "dim bold")
        if tool.result is None:
            self._page.block(Text("  "), "no result on record", "red")
        elif whole:
            self._page.text(Text("  ┆ ", "dim"), tool.result.strip("\n"), "dim")

    # -- end ------------------------------------------------------------------

    def end(self) -> None:
        game = self._game
        self._page.print(Text())
        self._page.rule()
        print_result(self._page, game)
        facts = [count(len(game.turns), "turn"), count(game.number_of_calls, "call")]
        if game.cost is not None:
            facts.append(money(game.cost))
        if game.shared is not None:
            facts.append(f"{game.shared:.0%} of the prompts as before")
        if game.cached_tokens:
            facts.append(f"{game.cached_tokens / game.prompt_tokens:.0%} of their tokens cached")
        if game.started_at and game.finished_at:
            facts.append(duration((game.finished_at - game.started_at).total_seconds()))
        self._page.print(Text(" · ".join(facts), "dim"))

    # -- spaces ---------------------------------------------------------------

    def _space(self) -> None:
        self._page.print(Text())
        self._after_move = False

    def _pause(self) -> None:
        """An empty line between an action and what came of it."""
        if self._after_move:
            self._space()


def print_result(page: Page, game: GameReport) -> None:
    """Who won and why, and how each player came out."""
    for text in _result(game):
        page.print(text)
    if game.status != "completed" or all(player.rank is None for player in game.players):
        return
    for player in sorted(game.players, key=lambda player: (player.rank or 0, player.index)):
        outcome = game.outcome(player) or "?"
        line = Text("  ").append(outcome.ljust(_OUTCOME), _STYLES.get(outcome, "red")).append(" ")
        line.append_text(player_name(player.index, player.agent, player.role))
        if player.invalid_actions:
            line.append(f"  {count(player.invalid_actions, 'invalid action')}", "red")
        if player.eliminated_turn is not None:
            line.append(f"  thrown out for it in turn {player.eliminated_turn}", "red")
        page.print(line)


def _result(game: GameReport) -> Iterator[Text]:
    if game.status == "void":
        yield Text.assemble(("Void", "bold red"), f": {game.void_cause or 'no result'}")
        for line in lines(game.error or "")[-8:]:
            yield Text("  ").append_text(safe(line, "red"))
    elif game.status != "completed":
        yield Text(f"The game is {game.status}.", "bold yellow")
    else:
        winner = game.winner()
        nobody = "A draw" if game.drawn else "Nobody won alone"
        result = f"{winner} won" if winner else nobody
        yield safe(result, "bold green" if winner else "bold")
        if game.reason:
            yield safe(" ".join(lines(game.reason[:_LONGEST_REASON])))
        if game.termination and game.termination != "natural":
            yield Text(f"ended by: {game.termination.replace('_', ' ')}", "yellow")
