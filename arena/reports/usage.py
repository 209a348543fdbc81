"""What agents used in the games of tournaments: calls, tokens, dollars and times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.latencies import quantile
from db.models.counters import MONEY
from db.queries.counters import AgentCounts


@dataclass(frozen=True, slots=True)
class Latency:
    """Quantiles in milliseconds, right to 2.2 percent (`db.latencies`)."""

    median: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class PartUsage:
    """What one or several agents used. `seats` are places in finished games, and what is said per
    game is per place; `cost` is of finished games in dollars, None where an answered call had no
    price, `charged` of void ones too. `calls`, `failed`, `orphans` (in flight when their process
    ended), `tool_calls`, `tool_failures` and `void_seats` count the attempts that came to nothing
    too; `tool_seconds` are those of all calls of tools. Shares are from 0 to 1, None of nothing."""

    seats: int
    void_seats: int
    turns: int
    calls: int
    failed: int
    orphans: int
    own_cache: int
    prompt_tokens: int
    response_tokens: int
    cost: float | None
    charged: float
    cost_per_game: float | None
    tokens_per_turn: float | None
    cached_share: float | None
    reasoning_share: float | None
    failed_share: float | None
    turn_ms: Latency | None
    call_ms: Latency | None
    lag_ms: Latency | None
    tool_calls: int = 0
    tool_failures: int = 0
    tool_seconds: float = 0.0


def part_usage(counted: Iterable[AgentCounts]) -> PartUsage | None:
    """The sum of agents; None where nothing has been counted."""
    sums = AgentCounts()
    for counts in counted:
        sums.finished.add(counts.finished)
        sums.void.add(counts.void)
    done, void = sums.finished, sums.void
    if not done.seats and not void.seats:
        return None
    calls, failed = done.calls + void.calls, done.failed + void.failed
    # What has no price is not free.
    known = done.priced and not done.unpriced
    cost = done.cost / MONEY if known else None
    tokens = done.prompt_tokens + done.response_tokens
    return PartUsage(
        seats=done.seats,
        void_seats=void.seats,
        turns=done.observed,
        calls=calls,
        failed=failed,
        orphans=done.orphans + void.orphans,
        own_cache=done.own_cache + void.own_cache,
        prompt_tokens=done.prompt_tokens,
        response_tokens=done.response_tokens,
        cost=cost,
        charged=(done.charged + void.charged) / MONEY,
        cost_per_game=None if cost is None or not done.seats else cost / done.seats,
        tokens_per_turn=tokens / done.observed if tokens and done.observed else None,
        cached_share=_share(done.cached_tokens, done.prompt_tokens),
        reasoning_share=_share(done.reasoning_tokens, done.response_tokens),
        failed_share=failed / calls if calls else None,
        turn_ms=latency_of(done.turn_ms),
        call_ms=latency_of(done.call_ms),
        lag_ms=latency_of(done.lag_ms),
        tool_calls=done.tool_calls + void.tool_calls,
        tool_failures=done.tool_failures + void.tool_failures,
        tool_seconds=(done.tool_us + void.tool_us) / 1e6,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def latency_of(buckets: dict[int, int]) -> Latency | None:
    """The quantiles of buckets; None where they hold nothing."""
    found = [quantile(buckets, q) for q in (0.5, 0.9, 0.95, 0.99)]
    if any(each is None for each in found):
        return None
    return Latency(*(each or 0.0 for each in found))
