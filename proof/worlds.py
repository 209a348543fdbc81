"""Worlds whose skills are known: agents, a game with roles, and how its results come about.

A seat performs as its agent's skill in the seat's role, plus what the role itself is worth, plus
normal noise of standard deviation BETA; the sums of the teams decide (Thurstone's model, as in
TrueSkill). Skills are in units of mu around 0, so they compare directly with `arena.core.Ratings`.

    world = MAFIA_35
    truth = world.truth(rng)              # agents with skills
    games = truth.play(1_000, rng)        # arena.core.Games, roles filled in
    truth.overall, truth.by_role          # (n,), (n, roles)
    truth.probability(truth.lineups(9, rng))   # P(first team wins), per lineup

The skills' standard deviation of 0.65 BETA makes a coin flip cost 128 millinats a game where
villagers win 35 %: a pool in which the better team wins about two games of three.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from arena.core import Games
from arena.core.ratings import BETA

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SKILL_SD = 0.65 * BETA
ROLE_SD = 0.35 * BETA


@dataclass(frozen=True, slots=True)
class Composition:
    """Agents as kind + model + prompt. The parts' effects have these standard deviations;
    `interaction` is that of what a combination has on top of its parts. Of the kinds x models x
    prompts possible combinations `World.agents` different ones play."""

    kinds: int = 2
    models: int = 4
    prompts: int = 4
    kind_sd: float = 0.25 * BETA
    model_sd: float = 0.45 * BETA
    prompt_sd: float = 0.35 * BETA
    interaction: float = 0.0


@dataclass(frozen=True, slots=True)
class World:
    """A kind of pool. `teams` are the roles of the seats, team by team; `first_wins` is how often
    the first team wins when all are equally skilled (two teams only; None for no advantage).

    Every agent's skill is drawn from N(0, skill_sd²), its deviation in each role from
    N(0, role_sd²); the pool's mean in each role is 0, so that `first_wins` holds in this pool.
    `seat_effects` are what roles are worth in a free-for-all, in units of mu. `margin` is the
    half-width of a draw for two single seats, as in `Ratings.margin`.
    """

    name: str
    teams: tuple[tuple[str, ...], ...]
    first_wins: float | None = None
    agents: int = 12
    skill_sd: float = SKILL_SD
    role_sd: float = 0.0
    margin: float = 0.0
    seat_effects: tuple[tuple[str, float], ...] = ()
    composition: Composition | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles, in order of first seat."""
        return tuple(dict.fromkeys(role for team in self.teams for role in team))

    @property
    def seat_roles(self) -> Integers:
        """Per seat, its position in `roles`."""
        roles = self.roles
        return np.array([roles.index(role) for team in self.teams for role in team])

    @property
    def seat_teams(self) -> Integers:
        return np.repeat(np.arange(len(self.teams)), [len(team) for team in self.teams])

    @property
    def shares(self) -> Floats:
        """(roles,): how often each role comes up among the seats."""
        return np.bincount(self.seat_roles) / len(self.seat_roles)

    @property
    def offsets(self) -> Floats:
        """(teams,): what the seats themselves are worth to each team, in units of mu.

        Of two teams the first gets what makes it win `first_wins` of the games between equals.
        With draws a game that is drawn counts as half a win; the offset is solved for by
        bisection.
        """
        own = dict(self.seat_effects)
        offsets = np.array([sum(own.get(role, 0.0) for role in team) for team in self.teams])
        if self.first_wins is not None:
            low, high = -40.0, 40.0
            for _ in range(100):
                middle = (low + high) / 2.0
                win, draw, _ = self._three(np.array([middle]))
                if win[0] + draw[0] / 2.0 < self.first_wins:
                    low = middle
                else:
                    high = middle
            offsets[0] += low - (offsets[0] - offsets[1])
        return offsets

    def _three(self, gap: Floats) -> tuple[Floats, Floats, Floats]:
        """P(first wins), P(draw), P(second wins) at these differences of the teams' sums."""
        seats = len(self.seat_roles)
        noise, margin = BETA * np.sqrt(seats), self.margin * np.sqrt(seats / 2.0)
        first, second = ndtr((gap - margin) / noise), ndtr((-gap - margin) / noise)
        return first, 1.0 - first - second, second

    def truth(self, rng: np.random.Generator) -> Truth:
        """A pool of agents with known skills."""
        parts, skill = self._skills(rng)
        deviations = rng.normal(0.0, self.role_sd, (self.agents, len(self.roles)))
        by_role = skill[:, None] + deviations
        return Truth(self, by_role - by_role.mean(axis=0), parts)

    def _skills(self, rng: np.random.Generator) -> tuple[Parts | None, Floats]:
        c = self.composition
        if c is None:
            return None, rng.normal(0.0, self.skill_sd, self.agents)
        shape = (c.kinds, c.models, c.prompts)
        effects = (
            rng.normal(0.0, c.kind_sd, c.kinds),
            rng.normal(0.0, c.model_sd, c.models),
            rng.normal(0.0, c.prompt_sd, c.prompts),
        )
        residual = rng.normal(0.0, c.interaction, shape)
        every = np.stack([axis.ravel() for axis in np.indices(shape)], axis=1)
        chosen = every[np.sort(rng.permutation(len(every))[: self.agents])]
        parts = Parts(chosen, effects, residual)
        return parts, parts.skill(chosen)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the agents of a composed world are made of: `combinations` (n, 3) holds the numbers of
    each agent's kind, model and prompt, `effects` those of all kinds, models and prompts, and
    `residual` (kinds, models, prompts) the interaction. Not centred: compare contrasts."""

    combinations: Integers
    effects: tuple[Floats, Floats, Floats]
    residual: Floats

    def skill(self, combinations: Integers) -> Floats:
        """(m,): skills of any combinations (m, 3), played or not."""
        k, m, p = combinations.T
        kind, model, prompt = self.effects
        skill: Floats = kind[k] + model[m] + prompt[p] + self.residual[k, m, p]
        return skill

    def unplayed(self) -> Integers:
        """(m, 3): the combinations that are not among the agents."""
        every = np.stack([axis.ravel() for axis in np.indices(self.residual.shape)], axis=1)
        seen = {tuple(row) for row in self.combinations.tolist()}
        return every[[tuple(row) not in seen for row in every.tolist()]].reshape(-1, 3)

    def names(self) -> dict[int, tuple[str, str, str]]:
        """agent_id -> (kind, model, prompt)."""
        return {
            agent: (f"k{k}", f"m{m}", f"p{p}")
            for agent, (k, m, p) in enumerate(self.combinations.tolist())
        }


@dataclass(frozen=True)
class Truth:
    """A pool with known skills: `by_role` (n, roles) in units of mu, the pool's mean 0 in each
    role. agent_ids are 0 ... n − 1."""

    world: World
    by_role: Floats
    parts: Parts | None = None

    @cached_property
    def overall(self) -> Floats:
        """(n,): skill averaged over the roles as they come up."""
        overall: Floats = self.by_role @ self.world.shares
        return overall

    @cached_property
    def _offsets(self) -> Floats:
        return self.world.offsets

    def lineups(self, games: int, rng: np.random.Generator) -> Integers:
        """(games, seats): different agents in every seat, all lineups equally likely."""
        agents, seats = len(self.by_role), len(self.world.seat_roles)
        return np.argsort(rng.random((games, agents)), axis=1)[:, :seats]

    def strengths(self, lineups: Integers) -> Floats:
        """(games, teams): the teams' sums, what their seats are worth included."""
        seats = self.by_role[lineups, self.world.seat_roles]
        teams = np.zeros((len(lineups), len(self.world.teams)))
        for seat, team in enumerate(self.world.seat_teams):
            teams[:, team] += seats[:, seat]
        return teams + self._offsets

    def probabilities(self, lineups: Integers) -> tuple[Floats, Floats, Floats]:
        """P(first team wins), P(draw), P(second wins), each (games,); two teams only."""
        strengths = self.strengths(lineups)
        if strengths.shape[1] != 2:
            raise ValueError(f"{strengths.shape[1]} teams: only two have a probability of winning")
        return self.world._three(strengths[:, 0] - strengths[:, 1])

    def probability(self, lineups: Integers) -> Floats:
        """P(first team wins), a draw counted as half: (games,); two teams only."""
        win, draw, _ = self.probabilities(lineups)
        return win + draw / 2.0

    def play(
        self,
        lineups: Integers | int,
        rng: np.random.Generator,
        luck: float = 0.0,
        times: int = 1,
    ) -> Games:
        """Games of these lineups (games, seats), or of this many random ones. Each `times` games
        in a row are of one seed, which deals the share `luck` of the noise's variance. The scores
        are the teams' performances."""
        if isinstance(lineups, int):
            lineups = self.lineups(lineups, rng)
        world = self.world
        sizes = np.bincount(world.seat_teams)
        strengths = self.strengths(lineups)
        noise = rng.normal(size=strengths.shape)
        blocks = np.arange(len(lineups)) // times
        if luck:
            dealt = rng.normal(size=strengths.shape)[blocks]
            noise = np.sqrt(luck) * dealt + np.sqrt(1.0 - luck) * noise
        performed = strengths + noise * BETA * np.sqrt(sizes)
        ranks = np.argsort(np.argsort(-performed, axis=1), axis=1)
        if world.margin > 0.0 and len(sizes) == 2:
            width = world.margin * np.sqrt(sizes.sum() / 2.0)
            ranks[np.abs(performed[:, 0] - performed[:, 1]) < width] = 0
        games, seats = lineups.shape
        return Games(
            sizes=np.full(games, seats),
            agents=lineups.ravel(),
            teams=np.tile(world.seat_teams, games),
            ranks=ranks[:, world.seat_teams].ravel(),
            roles=np.tile(world.seat_roles, games),
            role_names=world.roles,
            blocks=blocks,
            scores=performed[:, world.seat_teams].ravel(),
        )


def regret(truth: Floats, predicted: Floats) -> float:
    """What predictions cost beyond the truth's own log-loss, in millinats a game: the mean
    Kullback-Leibler divergence of the predicted from the true probability."""
    tiny = 1e-12
    p, q = np.clip(truth, tiny, 1.0 - tiny), np.clip(predicted, tiny, 1.0 - tiny)
    cost = p * np.log(p / q) + (1.0 - p) * np.log((1.0 - p) / (1.0 - q))
    return float(1000.0 * cost.mean())


TWO_FOUR = (("Villager",) * 4, ("Mafia",) * 2)

MAFIA_35 = World("2v4, villagers win 35 %", TWO_FOUR, 0.35)
MAFIA_50 = World("2v4, villagers win 50 %", TWO_FOUR, 0.50)
MAFIA_65 = World("2v4, villagers win 65 %", TWO_FOUR, 0.65)
DUEL = World("two players, the first wins 60 %", (("First",), ("Second",)), 0.60)
FREE_FOR_ALL = World(
    "six for themselves",
    tuple((f"Seat {seat}",) for seat in range(1, 7)),
    seat_effects=(("Seat 1", 0.2 * BETA), ("Seat 6", -0.2 * BETA)),
)


def role_specific(world: World, sd: float = ROLE_SD) -> World:
    """The same game, but agents differ in what they are good at: each has a deviation of its own
    in every role."""
    return replace(world, name=f"{world.name}, role-specific", role_sd=sd)


WORLDS = (
    MAFIA_35,
    MAFIA_50,
    MAFIA_65,
    role_specific(MAFIA_35),
    role_specific(MAFIA_50),
    role_specific(MAFIA_65),
    DUEL,
    FREE_FOR_ALL,
)
