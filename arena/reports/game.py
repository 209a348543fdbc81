"""What a game says: who sat where, what was done and said, how it ended, what the calls were."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.llm.shared_prefix import SharedPrefix
from arena.reports.calls import (
    CallReport,
    PromptsSent,
    ToolReport,
    call_report,
    text_of,
    tool_report,
)
from arena.reports.html import table
from arena.reports.memory import TurnMemory, turn_memory
from arena.reports.narration import StoryItem, tell_story
from db.models.calls import ORPHANED
from db.queries.games import GameRow
from db.queries.transcript import TurnRow

_SHOWN = 200  # turns of a game in a notebook


@dataclass(frozen=True, slots=True)
class PlayerReport:
    """A player and how it came out; `rank` counts from 0, and is None without a result. In
    `eliminated_turn` the rules threw it out for an error."""

    index: int
    agent: str
    role: str | None = None
    team: str | None = None
    rank: int | None = None
    invalid_actions: int = 0
    eliminated_turn: int | None = None


@dataclass(frozen=True, slots=True)
class TurnReport:
    """One turn: `new` is what the player was shown since its turn before, `action` what it did
    (None: it has not acted), `submitted` what the rules were given, `lapse` what was wrong with its
    answer whatever the rules made of it; `target` is whom the action was read to choose, and `how`
    how that was told. `reading` tells how the action was read from what the model said, `memory`
    what it tells of earlier games. `cut` says that its last answer was cut before it came to speak,
    `too_long` that the conversation was longer than its model's context. `cached` says that an
    answer came from the cache, `failed_calls` how many calls gave no answer, `lost_calls` how
    many of those were in flight when a run was killed. Its `number_of_calls` took `tokens`, of
    prompts and answers, and `cost` in dollars, None where none had a price; `tools` are the
    calls of tools in it."""

    number: int
    player: int
    new: str
    action: str | None
    submitted: str | None = None
    invalid: bool = False
    lapse: str | None = None
    target: str | None = None
    how: str | None = None
    reading: Any = None
    memory: TurnMemory | None = None
    cut: bool = False
    too_long: bool = False
    time_ms: float | None = None
    cached: bool = False
    failed_calls: int = 0
    lost_calls: int = 0
    number_of_calls: int = 0
    tokens: int = 0
    cost: float | None = None
    calls: Sequence[CallReport] = ()
    tools: Sequence[ToolReport] = ()


@dataclass(frozen=True, slots=True)
class GameReport:
    """Everything that can be told of a game. A branch has the game that it comes from as its
    `parent`, with the first turn that was played live. `cost` is in dollars, None where no call had
    a price. `shared` is how much of the prompts an earlier call of the same player began with,
    from 0 to 1, None without calls; `cached_tokens` of the `prompt_tokens` were cached. `referee`
    judged it: no player, and without a result of its own."""

    game: int
    environment: str | None
    tournament: str | None
    seed: int | None
    status: str
    players: Sequence[PlayerReport]
    turns: Sequence[TurnReport]
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
    shared: float | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    referee: PlayerReport | None = None

    @property
    def seats(self) -> Sequence[PlayerReport]:
        """The players, and behind them the referee, if there is one."""
        return self.players if self.referee is None else [*self.players, self.referee]

    def story(self) -> list[StoryItem]:
        """What happened, in order; moves are places in `turns`."""
        return tell_story(self.turns)

    def _repr_html_(self) -> str:
        title = f"game {self.game}: {self.environment or ''}, {self.status}"
        won = self.winner()
        notes = [f"won by {won}"] if won else []
        if self.reason:
            notes.append(self.reason)
        cast = table(
            ("player", "agent", "role", "team", "rank"),
            (
                (
                    player.index, player.agent, player.role, player.team,
                    None if player.rank is None else player.rank + 1,
                )
                for player in self.players
            ),
            caption=title,
            notes=notes,
        )  # fmt: skip
        names = {player.index: player.agent for player in self.seats}
        left = len(self.turns) - _SHOWN
        moves = table(
            ("turn", "agent", "action", ""),
            (
                (
                    turn.number,
                    names.get(turn.player),
                    turn.action,
                    "refused" if turn.invalid else None,
                )
                for turn in self.turns[:_SHOWN]
            ),
            notes=[f"{left} more turns: arena show {self.game}"] if left > 0 else (),
        )
        summary = f"<summary>{len(self.turns)} turns</summary>"
        return f"{cast}<details>{summary}{moves}</details>" if self.turns else cast

    def winner(self) -> str | None:
        """Who won alone: a team, or a player by its agent; None where none did."""
        player = winning_player(self.winning_team, [player.index for player in self.players])
        if player is None:
            return self.winning_team
        return f"{self.winning_team} {self.players[player].agent}"

    @property
    def drawn(self) -> bool:
        """Whether all came out alike."""
        ranks = {player.rank for player in self.players}
        return len(ranks) == 1 and None not in ranks

    def outcome(self, player: PlayerReport) -> str | None:
        """`won`, `drew`, `lost`, or `place 3` where there were more than two; None without one."""
        if player.rank is None:
            return None
        ranks = [other.rank for other in self.players if other.rank is not None]
        best, worst = min(ranks), max(ranks)
        if best == worst:
            return "drew"
        if player.rank == best:
            return "won"
        return "lost" if worst == 1 else f"place {player.rank + 1}"


def winning_player(team: str | None, indices: Sequence[int]) -> int | None:
    """The place in `indices` of the player that won, where rules without teams name a player
    (`Player 3`); None for a team's own name."""
    names = [f"Player {index}" for index in indices]
    return names.index(team) if team in names else None


def result_of(row: GameRow) -> str:
    """The result of a game in a few words: the team or the agent that won, or the agents that
    shared the first place, `draw`, why the game is void; empty while there is none."""
    if row.status == "void":
        return row.void_cause or "no result"
    if row.status != "completed":
        return ""
    place = winning_player(row.winning_team, [player.player_index for player in row.players])
    if place is not None:
        agent = row.players[place].agent
        several = sum(player.agent == agent for player in row.players) > 1
        return f"{agent} ({row.winning_team})" if several else agent
    if row.winning_team is not None:
        return row.winning_team
    ranks = [player.rank for player in row.players if player.rank is not None]
    if not ranks:
        return "no result"
    first = [player.agent for player in row.players if player.rank == min(ranks)]
    return (
        "draw" if len(first) == len(row.players) else f"shared by {', '.join(dict.fromkeys(first))}"
    )


def game_report(
    row: GameRow, turns: Sequence[TurnRow] = (), *, with_calls: bool = False
) -> GameReport:
    """The report of a game from its rows; the messages and answers of its calls when asked for."""
    made = [call for turn in turns for call in turn.calls]
    sent = PromptsSent()
    alike, shared = _shared(turns)
    return GameReport(
        game=row.game_id,
        environment=row.environment,
        tournament=row.tournament,
        seed=row.seed,
        status=row.status,
        players=[
            PlayerReport(
                p.player_index,
                p.agent,
                p.role,
                p.team,
                p.rank,
                p.invalid_actions,
                p.eliminated_turn,
            )
            for p in row.players
        ],
        turns=[
            TurnReport(
                number=turn.turn_number,
                player=turn.player_index,
                new=text_of(turn.new),
                action=turn.action,
                submitted=turn.submitted,
                invalid=turn.invalid,
                lapse=turn.lapse,
                target=turn.target,
                how=turn.target_how,
                reading=turn.reading,
                memory=turn_memory(turn.reading),
                cut=_said_nothing(turn) and _answered(turn),
                too_long=_said_nothing(turn) and not _answered(turn),
                time_ms=turn.response_time_ms,
                cached=any(call.cached for call in turn.calls),
                failed_calls=sum(call.error_class is not None for call in turn.calls),
                lost_calls=sum(call.error_class == ORPHANED for call in turn.calls),
                number_of_calls=len(turn.calls),
                tokens=sum(
                    (call.prompt_tokens or 0) + (call.response_tokens or 0) for call in turn.calls
                ),
                cost=_sum(call.cost for call in turn.calls),
                calls=[call_report(turn, call, sent, alike) for call in turn.calls]
                if with_calls
                else (),
                tools=tuple(tool_report(tool) for tool in turn.tools),
            )
            for turn in turns
        ],
        winning_team=row.winning_team,
        termination=row.termination,
        reason=row.reason,
        void_cause=row.void_cause,
        error=row.error,
        started_at=row.started_at,
        finished_at=row.finished_at,
        number_of_calls=len(made),
        cost=_sum(call.cost for call in made),
        parent=None if row.parent_game_id is None else (row.parent_game_id, row.parent_turn or 0),
        shared=shared,
        prompt_tokens=sum(call.prompt_tokens or 0 for call in made),
        cached_tokens=sum(call.cached_tokens or 0 for call in made),
        referee=None
        if row.referee is None
        else PlayerReport(len(row.players), row.referee, "referee"),
    )


def _shared(turns: Sequence[TurnRow]) -> tuple[dict[tuple[int, int], float | None], float | None]:
    """How much of each call, by turn_number and call_index, an earlier one of its player began
    with, and of all of them together."""
    players: dict[int, SharedPrefix] = defaultdict(SharedPrefix)
    alike = {
        (turn.turn_number, call.call_index): players[turn.player_index].add(call.messages)
        for turn in turns
        for call in turn.calls
        if call.error_class is None
    }
    characters = sum(player.characters for player in players.values())
    shared = sum(player.shared for player in players.values())
    return alike, shared / characters if characters else None


def _sum(costs: Iterable[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return math.fsum(known) if known else None


def _said_nothing(turn: TurnRow) -> bool:
    """Whether an overlong turn came to nothing at all."""
    return turn.lapse == "overlong" and not (turn.action or "").strip()


def _answered(turn: TurnRow) -> bool:
    """Whether the last call of a turn was answered."""
    return bool(turn.calls) and turn.calls[-1].error_class is None
