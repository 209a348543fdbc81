"""The promises of `arena.core.Matchmaker`, as a check that anybody's matchmaker can be put to.

from arena.testing.matchmakers import check_matchmaker

def test_my_matchmaker_keeps_the_protocol():
    check_matchmaker(MyMatchmaker, agents=[4, 7, 1], num_players=2, games=12)
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.core import (
    Casting,
    Evidence,
    Matchmaker,
    MatchmakerFactory,
    Pairing,
    Part,
    RatedPlayer,
    Result,
    Standings,
    Watchable,
    awaited,
)
from arena.core.ratings import SIGMA
from arena.testing.conformance import ConformanceError


def check_matchmaker(
    factory: MatchmakerFactory,
    *,
    agents: Sequence[int],
    num_players: int,
    games: int,
    options: Mapping[str, Any] | None = None,
    casting: Casting | None = None,
    seed: int = 0,
) -> Sequence[Pairing]:
    """Plays a tournament whose results are drawn by lot, again with all the room there is, and
    again with a new matchmaker each time: one schedule, of whole blocks, in order, with
    known agents, and no global randomness; unless its `extends` says otherwise, or it waits for
    results and has none, the schedule of fewer games is how it begins. Returns the schedule.

    Raises ConformanceError with what was found and what was expected.
    """
    cast = casting or (lambda _: (Part(),) * num_players)

    def make(games: int = games) -> Matchmaker:
        return factory(
            agents=agents,
            num_players=num_players,
            games=games,
            seed=seed,
            options=options or {},
            casting=cast,
        )

    name = getattr(factory, "__name__", repr(factory))
    before = random.getstate()
    schedule = _played(name, make, agents, games, cast, room=1, renewed=False)
    _check_schedule(name, schedule, agents, num_players, games)
    for room, renewed in ((games, False), (7, True)):
        again = _played(name, make, agents, games, cast, room=room, renewed=renewed)
        if again != schedule:
            at = next(i for i, (a, b) in enumerate(zip(schedule, again, strict=False)) if a != b)
            raise ConformanceError(
                f"{name}: place {at} of the schedule is {again[at]} with room for {room}"
                f"{' and a new matchmaker' if renewed else ''}, expected {schedule[at]}"
            )
    first = make()
    if getattr(first, "extends", first.lag is None):
        # From where a block begins, a little after the middle.
        middle = len(schedule) // 2
        cuts = (at for at in range(1, len(schedule)) if schedule[at].block > schedule[at - 1].block)
        cut = next((at for at in cuts if at >= middle), len(schedule))
        shorter = _played(name, lambda: make(cut), agents, cut, cast, room=1, renewed=False)
        if shorter != schedule[:cut]:
            raise ConformanceError(
                f"{name}: the schedule of {cut} games is not how that of {games} begins, expected "
                "`extends` to be False"
            )
    if random.getstate() != before:
        raise ConformanceError(f"{name}: expected the global random state to be left alone")
    return schedule


def standings(
    agents: Sequence[int], scheduled: Sequence[Pairing], results: Sequence[Result], settled: int
) -> Standings:
    """What a tournament would tell after its first games: skills by points won, roughly."""
    position = {agent: at for at, agent in enumerate(agents)}
    points, played = np.zeros(len(agents)), np.zeros(len(agents))
    for result in results:
        for player in result.players:
            played[position[player.agent_id]] += 1
            points[position[player.agent_id]] += 1.0 if player.rank == 0 else -1.0
    return Standings(
        agents=tuple(agents),
        mean=SIGMA * points / (played + 4.0),
        covariance=np.diag(SIGMA**2 / (1.0 + played / 2.0)),
        dollars=np.where(played > 0, 0.01, np.nan),
        settled=settled,
        scheduled=scheduled,
        results=results,
    )


def _played(
    name: str,
    make: Any,
    agents: Sequence[int],
    games: int,
    casting: Casting,
    *,
    room: int,
    renewed: bool,
) -> list[Pairing]:
    """The schedule, asked for from exactly the standings that the matchmaker's lag names."""
    matchmaker: Matchmaker = make()
    scheduled: list[Pairing] = []
    results: list[Result] = []
    while len(scheduled) < games:
        lag = matchmaker.lag
        if lag is not None and lag < 1:
            raise ConformanceError(f"{name}: a lag of {lag}: expected at least 1, or None")
        settled = 0 if lag is None else awaited(len(scheduled), lag)
        results += [_drawn(pairing, casting) for pairing in scheduled[len(results) : settled]]
        if not renewed:
            _watch(name, matchmaker, results)
        known = standings(agents, tuple(scheduled), results, settled)
        following = matchmaker.next(known, room)
        if not following:
            break
        scheduled += following
        matchmaker = make() if renewed else matchmaker
    return scheduled


def _watch(name: str, matchmaker: Matchmaker, results: Sequence[Result]) -> None:
    """Ask how near it is, as people who watch do: that changes nothing of what it chooses."""
    if not isinstance(matchmaker, Watchable):
        return
    found = matchmaker.evidence(results)
    if not all(isinstance(pair, Evidence) for pair in found):
        raise ConformanceError(f"{name}: its evidence is {found!r}, expected Evidence alone")
    if [*matchmaker.evidence(results)] != [*found]:
        raise ConformanceError(f"{name}: the same results gave two evidences")


def _drawn(pairing: Pairing, casting: Casting) -> Result:
    """A result by lot, the same whenever the pairing is played."""
    parts = casting(pairing.seed)
    names = [part.team or str(player) for player, part in enumerate(parts)]
    teams = [*dict.fromkeys(names)]
    winner = random.Random(pairing.schedule_index).choice(teams)
    return Result(
        pairing,
        tuple(
            RatedPlayer(agent, teams.index(name), int(name != winner))
            for agent, name in zip(pairing.agents, names, strict=True)
        ),
    )


def _check_schedule(
    name: str, schedule: Sequence[Pairing], agents: Sequence[int], num_players: int, games: int
) -> None:
    if not schedule or len(schedule) > games:
        raise ConformanceError(f"{name}: {len(schedule)} pairings, expected 1 to {games}")
    seeds: dict[int, int] = {}
    for index, pairing in enumerate(schedule):
        if pairing.schedule_index != index:
            raise ConformanceError(f"{name}: {pairing}, expected place {index} of the schedule")
        if len(pairing.agents) != num_players or not {*pairing.agents} <= {*agents}:
            raise ConformanceError(
                f"{name}: {pairing}, expected {num_players} of the agents {list(agents)}"
            )
        if not 0 <= pairing.seed < 2**63:
            raise ConformanceError(f"{name}: {pairing}, expected a seed that a database holds")
        if seeds.setdefault(pairing.block, pairing.seed) != pairing.seed:
            raise ConformanceError(
                f"{name}: {pairing}, expected seed {seeds[pairing.block]} as in its block"
            )
