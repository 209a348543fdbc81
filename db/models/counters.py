"""Counters: what agents used and how they behaved, added up as games end."""

from sqlalchemy import BigInteger, false, text
from sqlmodel import Field, Text

from db.models.columns import Table

VERSION = 1
"""Of the projection: it goes up when the same games give other counters. `arena counters rebuild`
counts the tournaments again that have an earlier one."""

MONEY = 10**12
"""Dollars are counted in whole trillionths: their sums are exact, in whatever order."""


def _count() -> int:
    number: int = Field(default=0, sa_type=BigInteger)
    return number


def _later_count() -> int:
    """One that earlier revisions did not have."""
    zero = {"server_default": text("0")}
    number: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs=zero)
    return number


class Counters(Table, table=True):
    """What an agent's places in a tournament were like, in one `role` and `team` ('' for none).

    A projection of the record that can be deleted and counted again: the version that a
    tournament's are of stands in its `counters_version`. A game is counted when it ends, in that
    transaction: finished games, and apart from them (`void`) the attempts that came to nothing,
    which were paid for too and whose roles were never told. A game that is being played is in none
    yet, nor are branches and other games of no tournament.

    `seats` are places and `games` those games in which the agent had this role and team, in however
    many places; `again` of them are in another row of the agent as well, so that its games are the
    sum of `games` less that of `again`. `turns` and what they are counted by are as in
    `GamePlayer`, `decided` counts the games that an error of its own decided, `eliminated` the
    places out of which the rules threw it for one. `observed` are the turns on record.

    `calls` are attempts at a provider: `answered` ended, in an answer or in one of the `failed`
    errors, `orphans` were in flight when their process ended, `own_cache` were answered from the
    record. `priced` had a known cost, `unpriced` were answered without. Tokens are sums of what the
    provider said: cached ones are part of the prompt's, reasoning ones of the completion's.
    `cost` is that of the priced calls and `charged` what counts against a budget, reserved dollars
    included where nothing else is known; `largest` is the most that was reserved for a call; all
    three in trillionths of a dollar. `turn_ms` and `call_ms` are the times of turns and of answered
    calls, `lag_ms` for how long those waited for the process that made them, as far as that is on
    record; in the buckets of `db.latencies`.

    `tool_calls` are those of tools, `tool_failures` of them failed, and `tool_us` are the
    microseconds that they took.

    The rest is of the games whose events are on record: `votes` between players with teams,
    `votes_against` for one of another team; `saves`, players that it kept from dying; `mortal`,
    places in games in which somebody was put out, and `survived` those that were not; claims and
    accusations read from speech that hold or do not.
    """

    __tablename__ = "counters"

    tournament_id: int = Field(
        foreign_key="tournaments.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    agent_id: int = Field(
        foreign_key="agents.id",
        ondelete="CASCADE",
        primary_key=True,
        index=True,
        sa_column_kwargs={"autoincrement": False},
    )
    void: bool = Field(primary_key=True, sa_column_kwargs={"server_default": false()})
    role: str = Field(sa_type=Text, primary_key=True)
    team: str = Field(sa_type=Text, primary_key=True)
    seats: int = _count()
    games: int = _count()
    again: int = _count()
    turns: int = _count()
    invalid_actions: int = _count()
    silences: int = _count()
    refusals: int = _count()
    overlongs: int = _count()
    time_limits: int = _count()
    malfunctions: int = _later_count()
    targets: int = _count()
    targets_several: int = _count()
    targets_none: int = _count()
    notes: int = _count()
    notes_lost: int = _count()
    decided: int = _count()
    eliminated: int = _count()
    observed: int = _count()
    calls: int = _count()
    answered: int = _count()
    failed: int = _count()
    orphans: int = _count()
    own_cache: int = _count()
    priced: int = _count()
    unpriced: int = _count()
    prompt_tokens: int = _count()
    response_tokens: int = _count()
    reasoning_tokens: int = _count()
    cached_tokens: int = _count()
    cost: int = _count()
    charged: int = _count()
    largest: int = _count()
    tool_calls: int = _later_count()
    tool_failures: int = _later_count()
    tool_us: int = _later_count()
    votes: int = _count()
    votes_against: int = _count()
    saves: int = _count()
    mortal: int = _count()
    survived: int = _count()
    claims_true: int = _count()
    claims_false: int = _count()
    accusations_true: int = _count()
    accusations_false: int = _count()
    turn_ms: bytes = b""
    call_ms: bytes = b""
    lag_ms: bytes = Field(default=b"", sa_column_kwargs={"server_default": text("''")})
