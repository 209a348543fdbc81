"""The score of a comparison, adjusted by a covariate: surer, and of the same quantity."""

from __future__ import annotations

import numpy as np

from arena.core import RatedPlayer
from arena.core.arrays import Floats
from arena.matchmakers.duel import BLOCK, score_of
from arena.record.covariates import with_covariate
from arena.stats.covariates import AdjustedMean, adjusted_mean
from db import Session
from db.queries.agents import agent_names
from db.queries.played import PlayedGames, played_games
from db.selection import Selection


def adjusted_score(
    session: Session, tournament: int, two: tuple[int, int], covariate: str, used: int
) -> AdjustedMean | None:
    """Of the first `used` blocks of a comparison in which both games are rated; None where they are
    too few or nothing varies. Raises what `with_covariate` does."""
    selection = Selection(tournament=tournament)
    played = played_games(session, selection)
    if not len(played):
        return None
    names = {key: row.name for key, row in agent_names(session).items()}
    played = with_covariate(session, played, selection, covariate, names)
    games = [_game(played, game, two) for game in range(len(played))]
    blocks = [
        np.array([games[at] for at in np.flatnonzero(played.blocks == block)]).mean(axis=0)
        for block in np.unique(played.blocks)
        if (played.blocks == block).sum() == BLOCK
    ][:used]
    return adjusted_mean([float(score) for score, _ in blocks], [float(x) for _, x in blocks])


def _game(played: PlayedGames, game: int, two: tuple[int, int]) -> tuple[float, float]:
    """A's score, and by how much the scores of A's team are above those of B's: its expectation
    where any of them is not known."""
    seats = slice(int(played.starts[game]), int(played.starts[game] + played.sizes[game]))
    agents, teams = played.agents[seats], played.teams[seats]
    players = [
        RatedPlayer(int(agent), int(team), int(rank))
        for agent, team, rank in zip(agents, teams, played.ranks[seats], strict=True)
    ]
    own, other = (_team(played.covariates[seats], teams == teams[agents == a][0]) for a in two)
    return score_of(*two, players), float(np.nan_to_num(own - other))


def _team(covariates: Floats, seats: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    return float(covariates[seats].sum())
