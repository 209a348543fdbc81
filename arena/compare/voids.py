"""What void games may have done to a comparison: its decision, whatever they had brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.matchmakers.duel import BLOCK, DuelOptions
from arena.stats.sequential import ScoreRange, Verdict
from db import Session
from db.queries.voids import AgentVoids, void_games
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class VoidRange:
    """What void games, and those whose first attempt went void, may have brought: `games` of them,
    `low` and `high` A's mean score over all blocks with each of them counted against A and for A.
    `robust` says that the decision is the same whatever they had brought: by the worst case, which
    is exact for `evalue` and `fixed`, and for `gsprt` with a margin of about 0.1 in the ratio that
    makes up for what its proof leaves open. None where there is no decision."""

    games: int
    low: float
    high: float
    robust: bool | None


def void_range(
    options: DuelOptions, ranges: Sequence[ScoreRange], verdict: Verdict | None
) -> VoidRange | None:
    """What void games may have done to the verdict on blocks with scores in these ranges."""
    games = sum(round(BLOCK * (block.high - block.low)) for block in ranges)
    if not games:
        return None
    robust = None
    if verdict is not None and verdict.decided:
        robust = options.sequential(BLOCK * len(ranges)).outcomes(ranges) == {verdict.favours}
    return VoidRange(
        games=games,
        low=sum(block.low for block in ranges) / len(ranges),
        high=sum(block.high for block in ranges) / len(ranges),
        robust=robust,
    )


def doubted(said: str, between: VoidRange | None) -> str:
    """The decision in words, and that void games could overturn it, where they could."""
    if between is None or between.robust is not False:
        return said
    games = "1 void game" if between.games == 1 else f"{between.games:,} void games"
    return f"{said.removesuffix('.')}; not robust to {games}: other results of theirs overturn it."


def struck(
    session: Session, games: Sequence[int], names: Mapping[int, str]
) -> dict[str, AgentVoids]:
    """Of these void games, those in which the agents of these names sat."""
    if not games:
        return {}
    voids = void_games(session, Selection(game=games))
    return {name: voids[agent] for agent, name in names.items() if agent in voids}
