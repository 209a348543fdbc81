"""Compares every pair of several agents, with a bound on the share of false discoveries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import exp
from typing import Any

from arena.compare.answer import blocks_of
from arena.compare.noise import noise_among
from arena.compare.pairs import PairedBlock
from arena.compare.question import MOST_GAMES, named, resumed, seeded, written
from arena.config import TournamentConfig
from arena.core import UsageError
from arena.matchmakers.duel import BLOCK
from arena.orchestrator.lookup import find_agent, rules_of
from arena.orchestrator.schedule import ScheduleHistory, history
from arena.reports.voids import told
from arena.stats.evalue import interval
from arena.stats.false_discoveries import PairTests, discoveries, stakes
from arena.stats.sequential import positions, running
from db import Repository, Tournament, get_session
from db.database import Source
from db.queries.agents import agent_names
from db.queries.spending import spent
from db.queries.voids import AgentVoids, void_games
from db.selection import Selection

_GAMES_PER_PAIR = 1_000
"""A schedule has at most so many for each pair, and `MOST_GAMES` for few pairs."""


@dataclass(frozen=True, slots=True)
class AmongQuestion:
    """Which of these agents are better than which? `agents` of the catalogue, by name or number;
    `environment` and `players` as in `arena.compare.Question`. Of the pairs found different at most
    `alpha` are equal, or the other way round, on average. `games` is the most that is played in
    all, `name` the tournament's, by default the question itself. `again` asks anew although the
    same agents have been compared; `settings` as in `arena.compare.Question`."""

    agents: tuple[str, ...]
    environment: str | None = None
    players: int | None = None
    alpha: float = 0.05
    games: int | None = None
    seed: int = 0
    name: str | None = None
    again: bool = False
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PairFound:
    """What is known of A against B. `favours` is 1 where A is shown to be better, -1 where B is, 0
    where the pair is open; `log_e` the log of its e-value. `score` is A's mean in `games` games,
    None without any; `low` and `high` its interval at a level that makes those of the decided pairs
    wrong in at most alpha of them on average. `unused` games came after the decision. `void` of its
    games have no result, or have it only at a later attempt; `robust` says that the decision stands
    whatever they had brought, None where there is none."""

    a: str
    b: str
    favours: int
    log_e: float
    score: float | None
    low: float
    high: float
    games: int
    unused: int
    void: int
    robust: bool | None

    @property
    def e_value(self) -> float:
        """Infinity where it has no number."""
        return exp(self.log_e) if self.log_e < 700 else float("inf")


@dataclass(frozen=True, slots=True)
class Among:
    """The pairs of several agents, those that are decided first. `settled` games are played, `void`
    of them without a result; `dollars` is what they cost. `voids` are by the agents' names."""

    agents: tuple[str, ...]
    environment: str
    players: int
    alpha: float
    tournament: str
    pairs: tuple[PairFound, ...]
    settled: int
    void: int
    dollars: float
    finished: bool
    notes: tuple[str, ...] = ()
    voids: Mapping[str, AgentVoids] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """How many pairs are."""
        return sum(pair.favours != 0 for pair in self.pairs)


def configure_among(url: Source, question: AmongQuestion) -> TournamentConfig:
    """The tournament that answers the question: the same for the same agents in any order, so that
    asking again resumes it. Nothing is written. Raises UsageError for what is not in the catalogue,
    for fewer than two agents or one twice, and where a game is not between two sides."""
    if len(question.agents) < 2:
        raise UsageError(
            f"--among has {len(question.agents)} agent: expected two or more, such as --among A,B,C"
        )
    if not 0 < question.alpha < 0.5:
        raise UsageError(
            f"--alpha {question.alpha:g}: expected a rate above 0 and below 0.5: 0.05 is the custom"
        )
    with get_session(url, create=False) as session:
        repo = Repository(session)
        agents = {}
        for name in question.agents:
            agent = find_agent(repo, name)
            if agent.id in agents:
                raise UsageError(f"--among has {agent.label} twice: expected every agent once")
            agents[agent.id] = agent
        rules = rules_of(repo, question.environment, question.players, [*agents])
        entered = [written(agents[key]) for key in sorted(agents, key=lambda key: key or 0)]
        number = len(entered) * (len(entered) - 1) // 2
        _check_games(question.games, number)
        data: dict[str, Any] = {
            "seed": question.seed,
            "environment": rules.written,
            "games": max(MOST_GAMES, _GAMES_PER_PAIR * number),
            "matchmaker": {"name": "pairwise", "alpha": question.alpha},
            "agents": entered,
        }
        data["name"] = question.name or _name(data, question)
        if not resumed(repo, data) and not question.again:
            _check_again(repo.get_tournaments(), data)
    return seeded(data, question.seed, question.settings)


def _check_again(known: Iterable[Tournament], data: Mapping[str, Any]) -> None:
    names = {agent["name"] for agent in data["agents"]}
    for tournament in known:
        config = tournament.config
        if (
            config["matchmaker"]["name"] == "pairwise"
            and {agent["name"] for agent in config["agents"]} == names
            and config["environment"]["name"] == data["environment"]["name"]
            and config["environment"]["players"] == data["environment"]["players"]
        ):
            raise UsageError(
                f"{tournament.name!r} has asked this of the same agents: the bound holds for each, "
                "and not for what either of two finds. The command that began it resumes it, at "
                "any time; to ask anew all the same, say --again"
            )


def _check_games(games: int | None, pairs: int) -> None:
    if games is not None and (games % BLOCK or games < BLOCK):
        raise UsageError(
            f"--games {games}: games are played in blocks of {BLOCK}, one for each way that two "
            f"can sit; {pairs} pairs take {BLOCK * pairs} for one block each"
        )


def _name(data: Mapping[str, Any], question: AmongQuestion) -> str:
    said = [f"alpha {question.alpha:g}"] if question.alpha != 0.05 else []
    if data["environment"]["players"] > 2:
        said.append(f"{data['environment']['players']} players")
    if question.seed:
        said.append(f"seed {question.seed}")
    also = f" ({', '.join(said)})" if said else ""
    names = ", ".join(agent["name"] for agent in data["agents"])
    return named(f"compare among {names} in {data['environment']['name']}{also}", data)


def answer_among(url: Source, config: TournamentConfig) -> Among:
    """What the tournament of a question says so far. Raises UsageError where it is not on record;
    nothing is written."""
    with get_session(url, create=False) as session:
        repo = Repository(session)
        row = repo.get_tournament_by_name(config.name)
        if row is None or row.id is None:
            raise UsageError(f"the comparison {config.name!r} is not in the database: play it")
        past = history(session, row.id)
        found = {agent.name: repo.get_agent_by_alias(agent.name) for agent in config.agents}
        keys = [agent.id for agent in found.values() if agent is not None and agent.id is not None]
        names = {key: agent.name for key, agent in agent_names(session).items()}
        voids = void_games(session, Selection(tournament=row.id))
        dollars = sum(spent(session, row.id).values())
        finished = row.status == "finished"
        noise = noise_among(session, row.environment_id, keys)
    if len(keys) < len(config.agents):
        raise UsageError(f"the agents of {config.name!r} are not in the catalogue any more")
    alpha = config.matchmaker.options.get("alpha", 0.05)
    assert isinstance(alpha, float)
    pairs = _pairs(past, [*combinations(keys, 2)], names, alpha)
    by_name = {names[agent]: void for agent, void in voids.items()}
    return Among(
        agents=tuple(agent.name for agent in config.agents),
        environment=config.environment.name,
        players=config.environment.players,
        alpha=alpha,
        tournament=config.name,
        pairs=tuple(
            sorted(pairs, key=lambda pair: (pair.favours == 0, -pair.log_e, pair.a, pair.b))
        ),
        settled=len(past.settled),
        void=sum(result is None for result in past.settled.values()),
        dollars=dollars,
        finished=finished,
        notes=(*_notes(past, pairs), *noise, *told(by_name)),
        voids=by_name,
    )


def _notes(past: ScheduleHistory, pairs: Sequence[PairFound]) -> Iterator[str]:
    if open_games := len(past.scheduled) - len(past.settled):
        yield f"{open_games:,} of its games are not finished"
    if any(pair.unused for pair in pairs):
        yield (
            f"{sum(pair.unused for pair in pairs):,} games came after their pair was decided: they "
            "were begun before, and were not looked at"
        )


def _pairs(
    past: ScheduleHistory,
    pairs: Sequence[tuple[int, int]],
    names: Mapping[int, str],
    alpha: float,
) -> list[PairFound]:
    tests = PairTests(len(pairs), alpha)
    at = {frozenset(pair): place for place, pair in enumerate(pairs)}
    used: list[list[PairedBlock]] = [[] for _ in pairs]
    played = [at[frozenset(pairing.agents)] for pairing in past.scheduled[::BLOCK]]
    for pair, block in zip(
        played, blocks_of(past, lambda place: pairs[played[place // BLOCK]]), strict=False
    ):
        if not tests.rejected[pair]:
            used[pair].append(block)
        if block.score is not None:
            tests.add(pair, block.score)
    stand = _stand(tests, used)
    level = alpha * max(int(tests.rejected.sum()), 1) / len(pairs)
    found = []
    for pair, (a, b) in enumerate(pairs):
        scores = [block.score for block in used[pair] if block.score is not None]
        low, high = interval(scores, BLOCK, level)
        lost = sum(round(BLOCK * (b.between.high - b.between.low)) for b in used[pair])
        found.append(
            PairFound(
                a=names[a],
                b=names[b],
                favours=tests.favours(pair),
                log_e=float(tests.logs[pair].max()),
                score=sum(scores) / len(scores) if scores else None,
                low=low,
                high=high,
                games=BLOCK * len(scores),
                unused=BLOCK * int(tests.unused[pair]),
                void=lost,
                robust=bool(stand[pair]) if tests.rejected[pair] else None,
            )
        )
    return found


def _stand(tests: PairTests, used: Sequence[Sequence[PairedBlock]]) -> Sequence[bool]:
    """Which decided pairs stay decided where every void game counts against its decision, in all of
    them at once. The wealth of who bets on A rises with A's score, so this is the worst case."""
    import numpy as np

    logs = np.full(tests.pairs, -np.inf)
    for pair, blocks in enumerate(used):
        if not (favours := tests.favours(pair)):
            continue
        scores = [b.between.low if favours > 0 else b.between.high for b in blocks]
        counts = running(positions(scores, BLOCK), BLOCK)[-1]
        logs[pair] = stakes(counts)[0 if favours > 0 else 1]
    return [bool(stays) for stays in discoveries(logs, tests.alpha)]
