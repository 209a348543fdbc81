"""What games are counted by: counts for each agent, role and team of a game, and their sums.

The same functions count a game when it ends and when it is counted again, in whole numbers: the
sums are the same bits in whatever order games are added.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, NamedTuple

from db import latencies
from db.latencies import Buckets
from db.models.calls import ORPHANED
from db.models.counters import MONEY
from db.models.games import COUNTS
from db.models.tournaments import REFEREE

_MOST = 2**63 - 1


class CountsKey(NamedTuple):
    """The key of a row of counters; no role and no team are empty texts."""

    tournament_id: int
    agent_id: int
    void: bool
    role: str
    team: str


@dataclass(slots=True)
class GameCounts:
    """Counts by the names of the columns of `db.models.Counters`, where they are explained."""

    seats: int = 0
    games: int = 0
    again: int = 0
    turns: int = 0
    invalid_actions: int = 0
    silences: int = 0
    refusals: int = 0
    overlongs: int = 0
    time_limits: int = 0
    malfunctions: int = 0
    targets: int = 0
    targets_several: int = 0
    targets_none: int = 0
    notes: int = 0
    notes_lost: int = 0
    decided: int = 0
    eliminated: int = 0
    observed: int = 0
    calls: int = 0
    answered: int = 0
    failed: int = 0
    orphans: int = 0
    own_cache: int = 0
    priced: int = 0
    unpriced: int = 0
    prompt_tokens: int = 0
    response_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    cost: int = 0
    charged: int = 0
    largest: int = 0
    tool_calls: int = 0
    tool_failures: int = 0
    tool_us: int = 0
    votes: int = 0
    votes_against: int = 0
    saves: int = 0
    mortal: int = 0
    survived: int = 0
    claims_true: int = 0
    claims_false: int = 0
    accusations_true: int = 0
    accusations_false: int = 0
    turn_ms: Buckets = field(default_factory=dict)
    call_ms: Buckets = field(default_factory=dict)
    lag_ms: Buckets = field(default_factory=dict)

    def add(self, other: GameCounts) -> None:
        """Add the counts of another counts."""
        for name, mine, others in zip(_SUMS, _sums_of(self), _sums_of(other), strict=True):
            if others:
                setattr(self, name, mine + others)
        self.largest = max(self.largest, other.largest)
        for name in TIMES:
            latencies.add(getattr(self, name), getattr(other, name))

    def row(self) -> tuple[int | bytes, ...]:
        """The values of `COLUMNS`; what no column holds is the most that it does."""
        numbers = [min(number, _MOST) for number in _numbers_of(self)]
        return *numbers, *map(latencies.packed, _times_of(self))

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> GameCounts:
        """The inverse of `row`."""
        *numbers, turn_ms, call_ms, lag_ms = row
        times = map(latencies.unpacked, (turn_ms, call_ms, lag_ms))
        values: list[Any] = [*map(int, numbers), *times]
        return cls(*values)


COLUMNS: tuple[str, ...] = tuple(each.name for each in fields(GameCounts))
"""The columns of a counts in its row, in order."""

KEY: tuple[str, ...] = CountsKey._fields

TIMES: tuple[str, ...] = ("turn_ms", "call_ms", "lag_ms")
"""Those of them that hold times, in the buckets of `db.latencies`."""

_WHOLE = tuple(name for name in COLUMNS if name not in TIMES)
_SUMS = tuple(name for name in _WHOLE if name != "largest")
_numbers_of, _sums_of, _times_of = attrgetter(*_WHOLE), attrgetter(*_SUMS), attrgetter(*TIMES)

# What is read of a game, in the order in which it is taken apart below.
SEAT = (
    "p.player_index, p.agent_id, p.role, p.team, p.decided, p.eliminated_turn, "
    f"{', '.join(f'p.{name}' for name in COUNTS)}"
)
TURN = "t.player_index, t.response_time_ms"
CALL = (
    "c.game_turn_id & 255, c.error_class, c.response_received_at IS NOT NULL, "
    "c.total_response_time_ms, c.lag_ms, c.prompt_tokens, c.response_tokens, c.reasoning_tokens, "
    "c.cached_tokens, c.cost, c.charged, c.reserved, c.cached"
)
TOOL = "u.game_turn_id & 255, u.error IS NOT NULL, u.took_ms"
EVENT = "k.name, e.source, e.target, e.data"

EVENTS = ("vote", "saved", "eliminate", "claim", "accusation")
"""The kinds of event that are counted."""


@dataclass(slots=True)
class GameRows:
    """What is on record of a game that has ended, as rows of `SEAT` in order of player_index,
    `TURN`, `CALL`, `TOOL` and `EVENT`; `referee` is the agent_id of who judged it, whose
    player_index is the number of players. Only the `chosen` players are counted, all of them
    without any. Of one that is still `running` no call is an orphan that nobody has found to be
    one."""

    game_id: int
    tournament_id: int
    void: bool
    seats: Sequence[Sequence[Any]] = ()
    turns: Sequence[Sequence[Any]] = ()
    calls: Sequence[Sequence[Any]] = ()
    tools: Sequence[Sequence[Any]] = ()
    events: Sequence[Sequence[Any]] = ()
    chosen: Collection[int] | None = None
    running: bool = False
    referee: int | None = None


def units(dollars: float) -> int:
    """Dollars in whole trillionths; what is no number that can be stored counts as the most."""
    return round(dollars * MONEY) if math.isfinite(dollars * MONEY) else _MOST


def charges_of(game: GameRows) -> dict[int, tuple[int, int]]:
    """(charged, the most that was reserved for a call) in trillionths of a dollar, by
    player_index, of the players that have called."""
    found: dict[int, tuple[int, int]] = {}
    for player, *_, charged, reserved, _ in game.calls:
        sum_, largest = found.get(player, (0, 0))
        worst = units(reserved or 0.0)
        mine = worst if charged is None else units(charged)
        found[player] = (sum_ + mine, max(largest, worst))
    return found


def counts_of(game: GameRows) -> dict[CountsKey, GameCounts]:
    """The counts of a game, by the keys of their rows, in order of the first seat."""
    found: dict[CountsKey, GameCounts] = {}
    of_player: dict[int, GameCounts] = {}
    seen: set[int] = set()
    decided: set[CountsKey] = set()
    for player, agent, role, team, by_error, thrown_out, *numbers in game.seats:
        if game.chosen is not None and player not in game.chosen:
            continue
        key = CountsKey(game.tournament_id, int(agent), game.void, role or "", team or "")
        counts = found.get(key)
        if counts is None:
            counts = found[key] = GameCounts(games=1, again=int(key.agent_id in seen))
            seen.add(key.agent_id)
        of_player[int(player)] = counts
        counts.seats += 1
        for name, count in zip(COUNTS, numbers, strict=True):
            if count:
                setattr(counts, name, getattr(counts, name) + int(count))
        if by_error and key not in decided:
            decided.add(key)
            counts.decided += 1
        counts.eliminated += thrown_out is not None
    if game.referee is not None and game.chosen is None:
        # It has no place in the game, and has called all the same.
        key = CountsKey(game.tournament_id, game.referee, game.void, REFEREE, "")
        of_player[len(game.seats)] = found[key] = GameCounts()
    for player, milliseconds in game.turns:
        if (counts := of_player.get(player)) is not None:
            counts.observed += 1
            if milliseconds is not None:
                latencies.count(counts.turn_ms, milliseconds)
    for player, *call in game.calls:
        if (counts := of_player.get(player)) is not None:
            _call(counts, game.running, *call)
    for player, failed, milliseconds in game.tools:
        if (counts := of_player.get(player)) is not None:
            counts.tool_calls += 1
            counts.tool_failures += bool(failed)
            counts.tool_us += round((milliseconds or 0.0) * 1e3)
    _events(game, of_player)
    return found


def _call(
    counts: GameCounts,
    running: bool,
    error: str | None,
    received: bool,
    milliseconds: float | None,
    lag: float | None,
    prompt: int | None,
    completion: int | None,
    reasoning: int | None,
    cached: int | None,
    cost: float | None,
    charged: float | None,
    reserved: float | None,
    own_cache: bool,
) -> None:
    counts.calls += 1
    counts.answered += bool(received)
    if error is not None:
        if error == ORPHANED:
            counts.orphans += 1
        else:
            counts.failed += 1
    elif received:
        counts.unpriced += cost is None
        if milliseconds is not None:
            latencies.count(counts.call_ms, milliseconds)
        if lag is not None:
            latencies.count(counts.lag_ms, lag)
    elif not running:
        counts.orphans += 1
    counts.own_cache += bool(own_cache)
    counts.prompt_tokens += prompt or 0
    counts.response_tokens += completion or 0
    counts.reasoning_tokens += reasoning or 0
    counts.cached_tokens += cached or 0
    if cost is not None:
        counts.priced += 1
        counts.cost += units(cost)
    worst = units(reserved or 0.0)
    counts.charged += worst if charged is None else units(charged)
    counts.largest = max(counts.largest, worst)


def _events(game: GameRows, of_player: Mapping[int, GameCounts]) -> None:
    parts = {int(seat[0]): (seat[2], seat[3]) for seat in game.seats}
    nobody = (None, None)
    put_out: set[int] = set()
    for kind, source, target, data in game.events:
        if kind == "eliminate":
            put_out.add(target)
            continue
        if (counts := of_player.get(source)) is None:
            continue
        if kind == "saved":
            counts.saves += 1
            continue
        own, others = parts.get(source, nobody), parts.get(target, nobody)
        if kind == "vote":
            if own[1] and others[1]:
                counts.votes += 1
                counts.votes_against += own[1] != others[1]
            continue
        said = json.loads(data) if isinstance(data, str) else data or {}
        true = holds(kind, said, own, own if target is None else others)
        if true is not None:
            name = f"{kind}s_{'true' if true else 'false'}"
            setattr(counts, name, getattr(counts, name) + 1)
    if put_out:
        for player, counts in of_player.items():
            if not counts.seats:
                continue
            counts.mortal += 1
            counts.survived += player not in put_out


def holds(
    kind: str,
    data: Mapping[str, Any],
    speaker: tuple[str | None, str | None],
    about: tuple[str | None, str | None],
) -> bool | None:
    """Whether a claim or an accusation is true, of players by (role, team): a claimed role or team
    is or is not that of the player it is about; an accused player is of another team. None where
    the game names none."""
    if kind == "accusation":
        return speaker[1] != about[1] if speaker[1] and about[1] else None
    what = "role" if "role" in data else "team"
    real = about[0] if what == "role" else about[1]
    return (real == data.get(what)) != bool(data.get("denies")) if real else None


def add(found: dict[CountsKey, GameCounts], game: GameRows) -> None:
    """Add the counts of a game to those of others."""
    for key, counts in counts_of(game).items():
        if (sum_ := found.get(key)) is None:
            found[key] = counts
        else:
            sum_.add(counts)
