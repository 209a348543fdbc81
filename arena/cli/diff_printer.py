"""Prints where two games part: what they share in a line, both turn by turn, both ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from arena.cli.output import count, safe
from arena.cli.transcript import print_result
from arena.cli.transcript_lines import Page, player_name
from arena.reports.game import game_report

if TYPE_CHECKING:
    from rich.console import Console

    from arena.replay.difference import FirstDifference, GameDifference, TurnPair
    from db.queries.games import GameRow
    from db.queries.transcript import TurnRow

_TURNS = 10  # from the first difference on, and
_LINES, _CHARACTERS = 6, 600  # of each text: without --full
_BEFORE, _AFTER = 60, 240  # characters around the place where two texts part

_WHAT = {
    "player": "another player is to move",
    "observation": "the player is shown something else",
    "action": "the action differs",
    "submitted": "the rules are given something else",
    "result": "the rules refuse one action and accept the other",
    "lapse": "what is wrong with the turn differs",
}


def print_comparison(out: Console, found: GameDifference, *, full: bool = False) -> None:
    """The whole comparison; with `full` every turn and every text whole."""
    _Comparison(Page(out), found, full).print()


class _Comparison:
    def __init__(self, page: Page, found: GameDifference, full: bool) -> None:
        self._page = page
        self._found = found
        self._full = full

    def print(self) -> None:
        found = self._found
        for game in (found.first, found.second):
            self._page.print(_title(game))
        self._page.print(Text())
        if _kind(found.first) != _kind(found.second):
            said = "two games of different rules: their turns have nothing to do with each other"
            self._page.print(Text(said, "bold"))
        else:
            self._compare()
        for game in (found.first, found.second):
            self._page.print(Text())
            self._page.rule(Text(f"game {game.game_id}", "bold"))
            print_result(self._page, game_report(game))

    def _compare(self) -> None:
        for line in self._summary():
            self._page.print(line)
        if self._found.difference is not None:
            self._parting(self._found.difference)
            self._turns()

    def _summary(self) -> Iterator[Text]:
        found = self._found
        if found.difference is None:
            same = count(found.common, "turn")
            yield Text(f"no difference in {same}", "bold green")
            return
        if found.common == 1:
            yield Text("the first turn is the same")
        else:
            same = f"the first {found.common:,} turns are" if found.common else "no turn is"
            yield Text(f"{same} the same")
        if found.branched_at is not None:
            yield Text(f"live from turn {found.branched_at}", "dim")
        yield Text(f"turn {found.difference.turn_number}: {self._what(found.difference)}", "bold")

    def _what(self, difference: FirstDifference) -> str:
        if difference.what != "length":
            return _WHAT[difference.what]
        pair = self._found.turns[0]
        ended = self._found.first if pair.first is None else self._found.second
        return f"game {ended.game_id} has no such turn"

    def _parting(self, difference: FirstDifference) -> None:
        """What differs, where the turns below do not show it."""
        if difference.what not in ("observation", "submitted"):
            return
        start = max(difference.character - _BEFORE, 0)
        for game, text in (
            (self._found.first, difference.first),
            (self._found.second, difference.second),
        ):
            self._page.print(
                Text(f"  game {game.game_id}, from character {start:,} of {len(text):,}:", "dim")
            )
            end = len(text) if self._full else difference.character + _AFTER
            self._page.text(Text("  ┆ ", "dim"), text[start:end], "dim")

    def _turns(self) -> None:
        pairs = self._found.turns if self._full else self._found.turns[:_TURNS]
        for pair in pairs:
            self._page.print(Text())
            self._page.rule(Text(f"turn {pair.turn_number}", "bold"))
            self._pair(pair)
        if hidden := len(self._found.turns) - len(pairs):
            self._page.print(Text())
            self._page.print(Text(f"… {count(hidden, 'more turn')}; --full shows them", "dim"))

    def _pair(self, pair: TurnPair) -> None:
        first, second = self._found.first, self._found.second
        if pair.first is not None and pair.second is not None and self._alike(pair):
            self._turn(first, pair.first, "both games")
            return
        for game, turn in ((first, pair.first), (second, pair.second)):
            if turn is not None:
                self._turn(game, turn, f"game {game.game_id}")

    def _alike(self, pair: TurnPair) -> bool:
        """Whether the same agent did the same at the same place, so that it is printed once."""
        assert pair.first is not None
        assert pair.second is not None
        did = [
            (player, _cast(game).get(player), turn.action, turn.invalid, turn.lapse)
            for game, turn in ((self._found.first, pair.first), (self._found.second, pair.second))
            for player in (turn.player_index,)
        ]
        return did[0] == did[1]

    def _turn(self, game: GameRow, turn: TurnRow, where: str) -> None:
        player = turn.player_index
        name = player_name(player, *_cast(game).get(player, ()))
        self._page.both_ends(name, Text(where, "dim"))
        if turn.action is None:
            self._page.print(Text("  has not acted", "dim italic"))
            return
        text = turn.action
        if not self._full:
            text = "\n".join(text[:_CHARACTERS].split("\n")[:_LINES])
        self._page.quote(text, player)
        if hidden := len(turn.action) - len(text):
            more = count(hidden, "more character")
            self._page.print(Text(f"  … {more}; --full shows them", "dim"))
        if turn.invalid:
            self._page.print(Text("  refused by the rules", "bold red"))
        if turn.lapse:
            self._page.print(Text(f"  lapse: {turn.lapse.replace('_', ' ')}", "bold red"))


def _title(game: GameRow) -> Text:
    title = Text.assemble((f"Game {game.game_id}", "bold"))
    for part in (game.environment, game.tournament):
        if part:
            title.append(" · ").append_text(safe(part))
    if game.seed is not None:
        title.append(f" · seed {game.seed}", "dim")
    if game.parent_game_id is not None:
        title.append(f" · branch of game {game.parent_game_id} from turn {game.parent_turn}")
    return title


def _kind(game: GameRow) -> tuple[str | None, int]:
    """What games have in common whose turns can be compared."""
    return game.environment, len(game.players)


def _cast(game: GameRow) -> dict[int, tuple[str, str | None]]:
    """The agent and the role at each place."""
    return {player.player_index: (player.agent, player.role) for player in game.players}
