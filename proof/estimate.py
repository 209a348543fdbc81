"""Whether the 90 % interval of an estimate holds the truth nine times in ten.

Tournaments with known spending are put on record (`proof.spending_worlds`), the next games are
estimated as `arena run --dry-run` estimates them, then played, and compared as the end of a run
compares them: calls, tokens sent, tokens answered and dollars of all games together.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from arena.config import loads
from arena.forecast.cost import (
    Estimate,
    ForecastInterval,
    estimate_of,
    lengths_of,
    look_up,
    rehearsed,
)
from arena.forecast.rehearsal import Rehearsal
from arena.forecast.rehearsed import RehearsedMeans, rehearsed_means
from arena.forecast.review import took
from arena.orchestrator.preflight import prepare
from db import Database
from db.queries.game_usage import seat_usage
from proof.report import Figure, Part, Table
from proof.spending_worlds import (
    ENVIRONMENTS,
    KINDS,
    SCENARIOS,
    EnvironmentSetting,
    SpendingWorld,
    draw_world,
)

RECORDED = (0, 1, 4, 20, 100)
TOURNAMENTS = 240
MEASURES = ("calls", "prompt_tokens", "response_tokens", "dollars")


@dataclass(frozen=True, slots=True)
class Compared:
    """One tournament: what each measure took to what was predicted, and how wide its interval is
    (high to low)."""

    scenario: str
    recorded: int
    ratio: Mapping[str, float]
    width: Mapping[str, float]
    inside: Mapping[str, bool]


@cache
def rehearsal_of(setting: EnvironmentSetting) -> tuple[Rehearsal, RehearsedMeans]:
    """Of three agents of the kinds that play: prompts of one length and models that are not
    scripted make the same requests."""
    lines = [
        "name: rehearsed",
        "seed: 1",
        f"environment: {{name: {setting.name}, players: {setting.players}}}",
        "games: 9",
        "models: [{name: m, litellm_model: openai/m}]",
        "prompts:",
        *(f"  - {{name: p{n}, text: 'Play, {n}, as player.'}}" for n in range(len(KINDS))),
        "agents:",
        *(f"  - {{name: a{n}, kind: {k}, model: m, prompt: p{n}}}" for n, k in enumerate(KINDS)),
    ]
    config = loads("\n".join(lines))
    prepared = prepare(config)
    with tempfile.TemporaryDirectory() as folder:
        known = look_up(config, prepared, Path(folder, "none.db"))
    lengths = lengths_of([agent.model for agent in known.agents.values()])
    found = rehearsed(prepared, known.agents, prepared.schedule([*known.agents]), lengths)
    specs = {number: agent.spec for number, agent in known.agents.items()}
    return found, rehearsed_means(setting.name, found, specs, lengths)


def compare(world: SpendingWorld, database: Database, rehearsal: Rehearsal) -> Compared:
    """Record, estimate, play."""
    world.record(database)
    config = world.config
    prepared = prepare(config)
    known = look_up(config, prepared, database)
    pairings = prepared.schedule([*known.agents])[-world.games :]
    estimate = estimate_of(
        prepared, known, pairings, rng_seed=5, price_of=world.price_of, rehearsal=rehearsal
    )
    games = world.play(database)
    with database.session() as session:
        actual = took(seat_usage(session, games))
    predicted = _predicted(estimate)
    return Compared(
        world.scenario,
        world.recorded,
        {name: actual[name] / predicted[name].mean for name in MEASURES},
        {name: predicted[name].high / max(predicted[name].low, 1e-12) for name in MEASURES},
        {name: predicted[name].low <= actual[name] <= predicted[name].high for name in MEASURES},
    )


def _predicted(estimate: Estimate) -> dict[str, ForecastInterval]:
    assert estimate.dollars is not None
    return {
        "calls": estimate.calls,
        "prompt_tokens": estimate.prompt_tokens,
        "response_tokens": estimate.response_tokens,
        "dollars": estimate.dollars,
    }


@dataclass(frozen=True, slots=True)
class CoverageTask:
    """Tournaments with so many games on record, in one scenario."""

    scenario: str
    recorded: int
    tournaments: int
    seed: np.random.SeedSequence

    def __call__(self) -> list[Compared]:
        found = []
        with tempfile.TemporaryDirectory() as folder:
            empty, file = Path(folder, "empty.db"), Path(folder, "arena.db")
            with Database(empty) as database, database.session():
                pass
            for number, child in enumerate(self.seed.spawn(self.tournaments)):
                setting = ENVIRONMENTS[number % len(ENVIRONMENTS)]
                rehearsal, means = rehearsal_of(setting)
                rng = np.random.default_rng(child)
                world = draw_world(rng, self.scenario, setting, means, self.recorded)
                shutil.copyfile(empty, file)
                with Database(file) as database:
                    found.append(compare(world, database, rehearsal))
        return found


def _run(task: CoverageTask) -> list[Compared]:
    return task()


def covered(
    tournaments: int, seed: int, processes: int, recorded: Sequence[int] = RECORDED
) -> list[Compared]:
    """So many tournaments for each number of games on record, a quarter of them in each scenario;
    with nothing on record there is only one."""
    tasks = []
    seeds = iter(np.random.SeedSequence(seed).spawn(len(recorded) * len(SCENARIOS)))
    for games in recorded:
        scenarios = SCENARIOS if games else SCENARIOS[1:2]
        for scenario in scenarios:
            each = max(tournaments // len(scenarios), 1)
            tasks.append(CoverageTask(scenario, games, each, next(seeds)))
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
            done = list(executor.map(_run, tasks))
    else:
        done = [task() for task in tasks]
    return [one for part in done for one in part]


def share(found: Sequence[Compared], measure: str) -> float:
    """How many of these intervals hold what was taken."""
    return float(np.mean([one.inside[measure] for one in found]))


def measure(seed: int = 1, scale: float = 1.0, processes: int = 1) -> Part:
    """Every figure and table; `scale` shrinks the number of tournaments."""
    tournaments = max(8, round(TOURNAMENTS * scale))
    found = covered(tournaments, seed, processes)
    figures, rows = [], []
    for games in RECORDED:
        own = [one for one in found if one.recorded == games]
        for name in MEASURES:
            value = share(own, name)
            figures.append(
                Figure(
                    f"inside the 90 % interval: {NAMES[name]}, games on record: {games}",
                    value,
                    least=0.85,
                    most=0.97,
                    error=math.sqrt(value * (1 - value) / len(own)),
                )
            )
    for scenario in SCENARIOS:
        for games in RECORDED:
            own = [one for one in found if (one.scenario, one.recorded) == (scenario, games)]
            if own:
                rows.append((scenario, games, len(own), *_row(own)))
    return Part(
        name="estimate",
        setting=(
            f"{len(found):,} tournaments in {len(ENVIRONMENTS)} environments between three agents "
            "of models with a mean of 12 to 500 tokens an answer, up to 10 % failed attempts, up "
            "to 70 % cached prompts; a game has 0.4 to 1.65 times the turns of one at random; one "
            "to 40 games are predicted in all, from none to 100 on record: of the same tournament, "
            "of earlier ones of the same agents, of agents of which one is new since, or under "
            f"other rules. The promise is of a 90 % interval. Seed {seed}."
        ),
        figures=figures,
        tables=[
            Table(
                "Share of tournaments inside the 90 % interval, and its median width (high to low)",
                (
                    "on record",
                    "games",
                    "tournaments",
                    *NAMES.values(),
                    *(f"width, {name}" for name in NAMES.values()),
                ),
                rows,
            )
        ],
    )


NAMES = {
    "calls": "calls",
    "prompt_tokens": "tokens sent",
    "response_tokens": "tokens answered",
    "dollars": "dollars",
}


def _row(own: Sequence[Compared]) -> list[float]:
    inside = [round(share(own, name), 3) for name in MEASURES]
    return inside + [float(np.median([one.width[name] for one in own])) for name in MEASURES]
