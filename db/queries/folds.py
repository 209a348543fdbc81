"""The games that have moved ratings, as packed columns in the order in which they did."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from db.fold import Seat, numbered

# How games end that an agent's error decided, not its play.
ERRORS = ("invalid_action", "silence", "refusal", "overlong", "time_limit")
_GAMES = (
    "SELECT g.id, g.environment_id, g.tournament_id, p.agent_id, p.team, p.rank "
    "FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.status = 'completed' AND g.fold_index IS NOT NULL {which}"
    "ORDER BY g.fold_index, p.player_index"
)


@dataclass(frozen=True, slots=True)
class FoldedGames:
    """One number per game: `game_ids`, `environments`, `tournaments` and `sizes` (its seats); one
    per seat, game after game: `agents`, `teams` and `ranks`. `starts` is where a game's begin."""

    game_ids: array[int]
    environments: array[int]
    tournaments: array[int]
    sizes: array[int]
    starts: array[int]
    agents: array[int]
    teams: array[int]
    ranks: array[int]

    def seats(self, game: int) -> list[Seat]:
        """(agent_id, team, rank) of each seat of the game at this position."""
        start = self.starts[game]
        part = slice(start, start + self.sizes[game])
        return list(zip(self.agents[part], self.teams[part], self.ranks[part], strict=True))

    def by_place(self) -> dict[tuple[int, int | None], Sequence[int]]:
        """The positions of the games of each pool: (environment_id, None) for an environment's
        own, (environment_id, tournament_id) for a tournament's."""
        places: dict[tuple[int, int | None], list[int]] = {}
        for game, place in enumerate(zip(self.environments, self.tournaments, strict=True)):
            places.setdefault((place[0], None), []).append(game)
            places.setdefault(place, []).append(game)
        return dict(places)


def folded_games(session: Session, *, decided: bool = True) -> FoldedGames:
    """All of them, read through the driver in one pass; with `decided=False`, without the games
    that an agent's error decided (ERRORS)."""
    errors = ", ".join(f"'{error}'" for error in ERRORS)
    left_out = f"AND (g.termination IS NULL OR g.termination NOT IN ({errors})) "
    query = _GAMES.format(which="" if decided else left_out)
    found = FoldedGames(*(array("q") for _ in range(8)))
    teams: list[str | None] = []
    last = None
    for (
        game_id,
        environment_id,
        tournament_id,
        agent_id,
        team,
        rank,
    ) in session.connection().execute(text(query)):
        if game_id != last:
            found.teams.extend(numbered(teams))
            teams = []
            last = game_id
            found.game_ids.append(game_id)
            found.environments.append(environment_id)
            found.tournaments.append(tournament_id)
            found.sizes.append(0)
            found.starts.append(len(found.agents))
        found.sizes[-1] += 1
        found.agents.append(agent_id)
        teams.append(team)
        found.ranks.append(rank)
    found.teams.extend(numbered(teams))
    return found
