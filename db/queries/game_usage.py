"""What games took, seat by seat: what a forecast learns from, and is compared with.

A game is counted with every attempt at its place of the schedule: those that went void were paid
for too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.orm import joinedload, selectinload
from sqlmodel import Session, col, select

from db.models import Agent, Environment, Game, GamePlayer, Model
from db.models.tournaments import REFEREE_ID

# In one statement: few enough for what SQLite takes as parameters.
_AT_ONCE = 500


class SeatUsage(NamedTuple):
    """What one seat of one attempt at a place took. `game_id` is the completed game of the place,
    `void` says that this was another attempt at it; `turns` are those in which a model was called.

    `answered` calls said what they used: `prompt_tokens`, of which the provider had
    `cached_tokens`, and `response_tokens`, of which `reasoning_tokens`; in `own_cache` calls the
    answer was on record already. `charged` is dollars over all attempts, what was reserved where
    nothing else is known; `cost` those of the `priced` calls, which have used `priced_prompt` and
    `priced_completion` tokens.
    """

    game_id: int
    void: bool
    tournament_id: int
    environment_id: int
    player_index: int
    agent: str
    model: str
    kind: str
    model_name: str
    turns: int
    calls: int
    answered: int
    prompt_tokens: int
    response_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    own_cache: int
    timed: int
    milliseconds: float
    charged: float
    cost: float
    priced: int
    priced_prompt: int
    priced_completion: int
    priced_cached: int


# A call's key holds its game and its player (`db.keys`): its turn need not be read.
_SEATS = """
SELECT s.place, CASE WHEN g.id <> s.place THEN 1 ELSE 0 END, g.tournament_id, g.environment_id,
  s.player, a.fingerprint, m.litellm_model_name, k.name, m.name, s.turns, s.calls,
  s.answered, s.prompts, s.completions, s.cached, s.reasoning, s.own, s.timed, s.milliseconds,
  s.charged, s.cost, s.priced, s.priced_prompts, s.priced_completions, s.priced_cached
FROM (
  SELECT place, game, player, COUNT(DISTINCT turn) AS turns, COUNT(*) AS calls,
    SUM(answered) AS answered, SUM(prompt) AS prompts, SUM(completion) AS completions,
    SUM(cached) AS cached, SUM(reasoning) AS reasoning, SUM(own) AS own, SUM(timed) AS timed,
    SUM(timed * milliseconds) AS milliseconds, SUM(charged) AS charged,
    SUM(priced * cost) AS cost, SUM(priced) AS priced, SUM(priced * prompt) AS priced_prompts,
    SUM(priced * completion) AS priced_completions, SUM(priced * cached) AS priced_cached
  FROM (
    SELECT f.id AS place, g.id AS game, c.game_turn_id & 255 AS player, c.game_turn_id AS turn,
      CASE WHEN c.prompt_tokens > 0 AND c.response_tokens IS NOT NULL THEN 1 ELSE 0 END AS answered,
      COALESCE(c.prompt_tokens, 0) AS prompt, COALESCE(c.response_tokens, 0) AS completion,
      COALESCE(c.cached_tokens, 0) AS cached, COALESCE(c.reasoning_tokens, 0) AS reasoning,
      CASE WHEN c.cached THEN 1 ELSE 0 END AS own, COALESCE(c.cost, 0.0) AS cost,
      CASE WHEN c.total_response_time_ms > 0 AND c.error_class IS NULL AND NOT c.cached
        THEN 1 ELSE 0 END AS timed, COALESCE(c.total_response_time_ms, 0.0) AS milliseconds,
      COALESCE(c.charged, c.reserved, 0.0) AS charged,
      CASE WHEN c.cost > 0 AND NOT c.cached AND c.error_class IS NULL AND c.prompt_tokens > 0
        AND c.response_tokens IS NOT NULL THEN 1 ELSE 0 END AS priced
    FROM games f
    JOIN games g ON g.tournament_id = f.tournament_id AND g.schedule_index = f.schedule_index
    JOIN llm_calls c ON c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296
    WHERE f.id IN :games AND f.status = 'completed'
  ) c
  GROUP BY place, game, player
) s
JOIN games g ON g.id = s.game
{seated}
JOIN models m ON m.id = a.model_id
JOIN kinds k ON k.id = a.kind_id
ORDER BY s.place, s.game, s.player
"""
_PLAYERS = """
JOIN game_players p ON p.game_id = s.game AND p.player_index = s.player
JOIN agents a ON a.id = p.agent_id
"""
_REFEREES = f"""
JOIN environments rules ON rules.id = g.environment_id AND rules.num_players = s.player
JOIN agents a ON a.id = {REFEREE_ID}
"""

# Sums are decimals in one database and integers in the other.
_TYPES = (int, bool, int, int, int, str, str, str, str, *[int] * 9, *[float] * 3, *[int] * 4)


def seat_usage(session: Session, games: Collection[int]) -> list[SeatUsage]:
    """What completed games of tournaments took, by game and seat, referees behind the players of
    all games; a seat for which no model was called is left out."""
    keys, found = sorted(games), []
    environments = session.exec(select(Environment)).all()
    judged = any(environment.referee_id is not None for environment in environments)
    for seated in (_PLAYERS, _REFEREES) if judged else (_PLAYERS,):
        query = text(_SEATS.format(seated=seated)).bindparams(bindparam("games", expanding=True))
        for at in range(0, len(keys), _AT_ONCE):
            for row in session.connection().execute(query, {"games": keys[at : at + _AT_ONCE]}):
                values = [of(value) for of, value in zip(_TYPES, row, strict=True)]
                found.append(SeatUsage._make(values))
    return found


def players_of(session: Session, games: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The agents of games, by fingerprint in order of player_index; by game_id."""
    keys = sorted(games)
    found: dict[int, tuple[str, ...]] = {}
    for at in range(0, len(keys), _AT_ONCE):
        rows = session.exec(
            select(GamePlayer.game_id, Agent.fingerprint)
            .join(Agent, col(Agent.id) == col(GamePlayer.agent_id))
            .where(col(GamePlayer.game_id).in_(keys[at : at + _AT_ONCE]))
            .order_by(col(GamePlayer.game_id), col(GamePlayer.player_index))
        )
        for game, agent in rows:
            found[game] = (*found.get(game, ()), agent)
    return found


class ScheduledSeats(NamedTuple):
    """A game of a schedule; its `agents` are labels, in order of player_index."""

    schedule_index: int
    block: int
    seed: int
    agents: tuple[str, ...]


def scheduled_pairings(session: Session, games: Sequence[int]) -> list[ScheduledSeats]:
    """Games of a tournament as its schedule has them, in its order."""
    found = []
    for at in range(0, len(games), _AT_ONCE):
        query = (
            select(Game)
            .where(col(Game.id).in_(games[at : at + _AT_ONCE]))
            .options(
                selectinload(Game.players)  # type: ignore[arg-type]
                .selectinload(GamePlayer.agent)  # type: ignore[arg-type]
                .options(
                    joinedload(Agent.kind),  # type: ignore[arg-type]
                    joinedload(Agent.model),  # type: ignore[arg-type]
                    joinedload(Agent.prompt),  # type: ignore[arg-type]
                )
            )
        )
        found += [
            ScheduledSeats(
                game.schedule_index or 0,
                game.block or 0,
                game.seed or 0,
                tuple(player.agent.label for player in game.players),
            )
            for game in session.exec(query)
        ]
    return sorted(found)


def finished_games(
    session: Session,
    *,
    limit: int,
    before: datetime | None = None,
    environment: str | None = None,
    agents: Sequence[str] | None = None,
    model: str | None = None,
) -> list[int]:
    """The newest completed games of tournaments, by game_id, at most `limit`: those that ended
    `before` a time; of an environment of this name; with one of these `agents` (fingerprints); with
    a LiteLLM `model`."""
    query = select(Game.id).where(Game.status == "completed", col(Game.tournament_id).is_not(None))
    if before is not None:
        query = query.where(col(Game.finished_at) < before)
    if environment is not None:
        of_name = select(Environment.id).where(Environment.name == environment)
        query = query.where(col(Game.environment_id).in_(of_name))
    if agents is not None or model is not None:
        seats = select(GamePlayer.game_id).join(Agent, col(Agent.id) == col(GamePlayer.agent_id))
        if agents is not None:
            seats = seats.where(col(Agent.fingerprint).in_(agents))
        if model is not None:
            seats = seats.join(Model, col(Model.id) == col(Agent.model_id)).where(
                Model.litellm_model_name == model
            )
        query = query.where(col(Game.id).in_(seats))
    found = session.exec(query.order_by(col(Game.id).desc()).limit(limit))
    return [key for key in found if key is not None]
