"""Worlds in which a fit is given what it may not expect: games that count twice or share their
luck, places that decide, effects that no game has shown, games that go missing, skills that do not
add up and skills that change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, insert

from arena.core import Games
from arena.core.ratings import BETA
from arena.ratings.probit import Probit
from arena.record.rating_columns import rating_columns
from db import Game, GamePlayer, GameTurn, Repository
from db.keys import turn_key
from db.models.catalogue import now
from db.queries.played import played_games
from db.selection import Selection
from proof.additivity import CYCLE, cycle_of, duels
from proof.worlds import DUEL, MAFIA_35, Floats, Integers, Truth, World, role_specific

GAMES = 200
TIMES = 4
MANY = 600
"""Games where something is never seen of an agent: enough for the rest to be known well."""

LIMIT = 20_000
"""Games whose fit stands for what any number of games would come to."""

DEVIATION = 0.6 * BETA
"""How much a role, or an environment, asks for another skill."""

DRIFT = 0.5 * BETA
"""Standard deviation of how far an agent's skill moves from the first game to the last, unless said
otherwise."""

FEW = 4
"""Agents that are kept out of a role, or of two environments of three."""

STRUCK = 0.1
"""The share of an agent's losses that go void."""

GIVES_UP = 0.4
"""The share of its lost games that an agent ends by an error."""

FOUR = World(
    "four for themselves",
    tuple((f"Seat {seat}",) for seat in range(1, 5)),
    seat_effects=(("Seat 1", 0.5 * BETA), ("Seat 4", -0.5 * BETA)),
)


@dataclass(frozen=True, slots=True)
class Pool:
    """The `games` of one pool of agents with what is claimed of them: `skill` (n,), of which the
    coverage is counted for `agents`. `without` are the same games as they would be given without
    the rule that the world shows; `certain` asks for the fit in which what was never seen is taken
    for 0 instead. `strengths` holds lineups with the strengths of their seats, where predictions of
    the first seat against the last are of interest, and `newest` that the claim is about the last
    game."""

    games: Games
    skill: Floats
    agents: Sequence[int] = range(12)
    without: Games | None = None
    certain: bool = False
    strengths: tuple[Integers, Floats] | None = None
    newest: bool = False


Play = Callable[[np.random.Generator, Session, bool], Pool]
"""A pool from these random numbers, of `equal` agents if so; a database to read games from."""


def repeats(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
    """Scripted agents, 50 seeds under each of four names: through a database, as a board reads
    them."""
    truth = _truth(DUEL, rng, equal)
    games = truth.play(GAMES, rng)
    many = np.tile(np.arange(len(games)), TIMES)
    return Pool(
        _read(session, games), truth.overall, without=replace(_picked(games, many), blocks=())
    )


def luck(share: float) -> Play:
    """Each lineup four times on its seed, which deals this share, the replies drawn anew."""

    def play(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
        truth = _truth(DUEL, rng, equal)
        lineups = np.repeat(truth.lineups(GAMES // TIMES, rng), TIMES, axis=0)
        games = truth.play(lineups, rng, share, TIMES)
        return Pool(games, truth.overall, without=replace(games, blocks=()))

    return play


def places(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
    """No roles, and places of unequal worth, as a board reads them."""
    truth = _truth(FOUR, rng, equal)
    columns = _read(session, truth.play(GAMES, rng))
    lineups = truth.lineups(50, rng)
    return Pool(
        columns,
        truth.overall,
        without=replace(columns, roles=(), role_names=()),
        strengths=(lineups, truth.strengths(lineups)),
    )


def roles(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
    """The first agents are Mafia whenever they play, and roles ask for different skills."""
    truth = _truth(role_specific(MAFIA_35, DEVIATION), rng, equal)
    lineups = np.zeros((MANY, 6), np.int64)
    for lineup in lineups:
        mafia = rng.permutation(12)[:2]
        others = [agent for agent in range(FEW, 12) if agent not in mafia]
        lineup[:] = [*rng.permutation(others)[:4], *mafia]
    return Pool(truth.play(lineups, rng), truth.overall, range(FEW), certain=True)


def environments(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
    """Three environments that ask for different skills; the first agents know one."""
    deviation = 0.0 if equal else DEVIATION
    base = _truth(DUEL, rng, equal)
    parts, skills = [], []
    for environment in range(3):
        own = base.by_role[:, :1] + rng.normal(0.0, deviation, (12, 1))
        truth = Truth(DUEL, np.repeat(own, 2, axis=1))
        agents = np.arange(12 if environment == 0 else 12 - FEW) + (0 if environment == 0 else FEW)
        lineups = agents[np.argsort(rng.random((MANY, len(agents))), axis=1)[:, :2]]
        parts.append(truth.play(lineups, rng))
        skills.append(own[:, 0])
    games = Games(
        *(
            np.concatenate([np.asarray(getattr(part, name)) for part in parts])
            for name in ("sizes", "agents", "teams", "ranks", "roles")
        ),
        role_names=DUEL.roles,
        environments=np.repeat(np.arange(3), MANY),
        environment_names=["one", "two", "three"],
    )
    return Pool(games, np.mean(skills, axis=0), range(FEW), certain=True)


def struck(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
    """A tenth of the first agent's losses go void: its own interval."""
    truth = _truth(DUEL, rng, equal)
    games = truth.play(MANY, rng)
    void = _lost(games) & (rng.random(MANY) < STRUCK)
    return Pool(_picked(games, np.flatnonzero(~void)), truth.overall, [0])


def gives_up(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
    """The first agent ends two in five of its lost games by an error, which are its losses; without
    them the rating conditions on the result."""
    truth = _truth(DUEL, rng, equal)
    games = truth.play(MANY, rng)
    erred = _lost(games) & (rng.random(MANY) < GIVES_UP)
    return Pool(games, truth.overall, [0], without=_picked(games, np.flatnonzero(~erred)))


def extreme(best: bool) -> Play:
    """The best, or the worst, player of a team decides for it. What is claimed is what the fit of
    any number of games would come to: skills that add up to such results as well as skills can."""

    def play(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
        truth = _truth(MAFIA_35, rng, equal)
        if equal:
            return Pool(_played_by_one(truth, MANY // 2, rng, best), truth.overall)
        mean, _ = Probit().fit(_played_by_one(truth, LIMIT, rng, best)).contrasts(range(12))
        return Pool(_played_by_one(truth, MANY // 2, rng, best), mean)

    return play


def cycle(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
    """Three types that beat each other in a circle, on top of skills. What is claimed is the mean
    over all opponents."""
    truth = _truth(DUEL, rng, equal)
    matrix = truth.overall[:, None] - truth.overall + cycle_of(12, 0.0 if equal else CYCLE)
    return Pool(duels(matrix, MANY, rng), matrix.mean(axis=1))


def drift(newest: bool, size: float = DRIFT) -> Play:
    """Skills that move by N(0, size²) while games are played. What is claimed is their average over
    the games; or what they are at the last game."""

    def play(rng: np.random.Generator, session: Session, equal: bool) -> Pool:
        truth = _truth(DUEL, rng, equal)
        moves = rng.normal(0.0, 0.0 if equal else size, 12)
        moves -= moves.mean()
        lineups = truth.lineups(MANY, rng)
        when = np.arange(MANY) / MANY - 0.5
        first = DUEL.offsets[0] - DUEL.offsets[1]
        skill = truth.overall + when[:, None] * moves
        each = np.take_along_axis(skill, lineups, axis=1)
        noise = rng.normal(size=MANY) * BETA * np.sqrt(2.0)
        lost = (each[:, 0] - each[:, 1] + first + noise <= 0.0).astype(np.int64)
        return Pool(
            _two(lineups, lost, DUEL),
            truth.overall + (0.5 * moves if newest else 0.0),
            newest=newest,
        )

    return play


def _truth(world: World, rng: np.random.Generator, equal: bool) -> Truth:
    return (replace(world, skill_sd=0.0, role_sd=0.0) if equal else world).truth(rng)


def _lost(games: Games) -> NDArray[np.bool_]:
    """Per game of two seats: whether the first agent lost it."""
    agents, ranks = (np.asarray(of).reshape(-1, 2) for of in (games.agents, games.ranks))
    found: NDArray[np.bool_] = ((agents == 0) & (ranks == 1)).any(axis=1)
    return found


def _played_by_one(truth: Truth, count: int, rng: np.random.Generator, best: bool) -> Games:
    """Games of two teams of which each does as well as its best, or its worst, member."""
    world = truth.world
    lineups = truth.lineups(count, rng)
    each = truth.by_role[lineups, world.seat_roles] + rng.normal(0.0, BETA, lineups.shape)
    first = world.seat_teams == 0
    pick = np.max if best else np.min
    lead = pick(each[:, first], axis=1) - pick(each[:, ~first], axis=1)
    return _two(lineups, (lead <= 0.0).astype(np.int64), world)


def _two(lineups: Integers, lost: Integers, world: World) -> Games:
    """Games of two teams; `lost` is 1 where the first did."""
    count, size = lineups.shape
    ranks = np.where(world.seat_teams == 0, lost[:, None], 1 - lost[:, None])
    return Games(
        sizes=np.full(count, size),
        agents=lineups.ravel(),
        teams=np.tile(world.seat_teams, count),
        ranks=ranks.ravel(),
        roles=np.tile(world.seat_roles, count),
        role_names=world.roles,
    )


def _picked(games: Games, order: Integers) -> Games:
    """Games of one size in another order, some more than once, or none."""
    size = int(games.sizes[0])
    columns = {
        name: np.asarray(getattr(games, name)).reshape(-1, size)[order].ravel()
        for name in ("agents", "teams", "ranks", "roles")
    }
    blocks = np.asarray(games.blocks)[order] if len(games.blocks) else ()
    return replace(games, sizes=np.full(len(order), size), blocks=blocks, **columns)


def _read(session: Session, games: Games) -> Games:
    """The games as a board reads them: of scripted agents that know no roles, each under four
    names, in an environment of their own."""
    repo = Repository(session)
    size = int(games.sizes[0])
    kind, prompt = repo.get_or_create_kind("thinking"), repo.get_or_create_prompt("plain", "Play.")
    keys = []
    for agent in range(12):
        model = repo.get_or_create_model(f"m{agent}", f"scripted/m{agent}")
        made = repo.get_or_create_agent(kind.id or 0, model.id or 0, prompt.id or 0)
        keys.append(made.id or 0)
    before = len(repo.get_environments())
    name = f"World-{before}-v0"
    environment = repo.get_or_create_environment(name, size, package="proof", version="1").id or 0
    first = 1 + before * 100_000
    rows, players, turns = [], [], []
    ranks, agents = (np.asarray(column).reshape(-1, size) for column in (games.ranks, games.agents))
    for at in range(TIMES * len(games)):
        game, seed = first + at, at % len(games)
        rows.append({"id": game, "environment_id": environment, "seed": seed, "fold_index": game,
                     "status": "completed", "created_at": now()})  # fmt: skip
        turns.append({"id": turn_key(game, 0, 0), "game_id": game, "turn_number": 0,
                      "player_index": 0, "observed_at": now()})  # fmt: skip
        players += [
            {"game_id": game, "agent_id": keys[agent], "player_index": place, "rank": int(rank)}
            for place, (agent, rank) in enumerate(zip(agents[seed], ranks[seed], strict=True))
        ]
    for table, values in ((Game, rows), (GamePlayer, players), (GameTurn, turns)):
        session.execute(insert(table), values)
    session.flush()
    read = rating_columns(played_games(session, Selection(environment=environment)))
    return replace(read, agents=np.searchsorted(keys, np.asarray(read.agents)))


WORLDS: Mapping[str, tuple[Play, int, str]] = {
    "the same game four times": (repeats, 150, "counted four times"),
    "four games on each seed, which deals 27 %": (luck(0.27), 200, "the seed unknown"),
    "four games on each seed, which deals 60 %": (luck(0.6), 200, "the seed unknown"),
    "four for themselves, places worth ± 0.5 beta": (places, 80, "places not taken for roles"),
    "a third of the agents never villagers": (roles, 200, "the unseen counted as 0"),
    "a third of the agents in one environment of three": (
        environments,
        150,
        "the unseen counted as 0",
    ),
    "a tenth of one agent's losses void": (struck, 600, ""),
    "an agent that gives up when losing": (gives_up, 600, "errors left out"),
    "the best of a team decides": (extreme(best=True), 150, ""),
    "the worst of a team decides": (extreme(best=False), 150, ""),
    "three types in a cycle of .65 beta": (cycle, 150, ""),
    "drift of .5 beta, the average": (drift(newest=False), 150, ""),
    "drift of .5 beta, the newest": (drift(newest=True), 150, ""),
    "drift of 1 beta, the newest": (drift(newest=True, size=BETA), 150, ""),
}
"""By name: how it is played, how often, and what it is like without the rule, if there is one."""

_SEED = "the output says: takes the seed's luck for skill"
_AVERAGE = "the output says, where it finds drift: ratings are of the average"
_ROLES = "the output says: assumes that skill differs by 0.25 beta between roles"

SAID: Mapping[tuple[str, str], str] = {
    ("four games on each seed, which deals 27 %", "trueskill-sides"): _SEED,
    ("four games on each seed, which deals 60 %", "trueskill-sides"): _SEED,
    ("a third of the agents never villagers", "trueskill-sides"): _ROLES,
    ("a third of the agents in one environment of three", "trueskill-sides"): _ROLES,
    ("drift of .5 beta, the newest", "probit"): _AVERAGE,
    ("drift of .5 beta, the newest", "trueskill-sides"): _AVERAGE,
    ("drift of 1 beta, the newest", "probit"): _AVERAGE,
    ("drift of 1 beta, the newest", "trueskill-sides"): _AVERAGE,
}
"""By world and system: what the program says beside a number that breaks a promise there."""
