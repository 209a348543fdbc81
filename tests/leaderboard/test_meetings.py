"""Who scored what against whom is counted game by game, when the games are rated and from them."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from itertools import permutations
from typing import Any, get_args

import numpy as np
import pytest
from sqlalchemy import text

from arena.analysis import pairs_df
from arena.core import UsageError
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.meetings import MeetingBy, head_to_head, meetings
from arena.leaderboard.rebuild import rebuild
from arena.stats.head_to_head import HeadToHead
from arena.stats.proportions import design_effect, wilson
from db import Recorder, Repository, Session, get_session
from db.pairs import PairKey, PairSeat, PairSums, block_counts, scores, unit
from db.queries.played import played_games
from db.selection import Selection
from db.writer.games import GameFinished, PlayerFinished
from tests.db.test_recorder import acted, opened
from tests.db.tournaments import FOLD, NOON, Pairing

ANN, BEN, CAT = 1, 2, 3
ENDS = ("natural", "silence")
WHOLE = unit(6)
Played = tuple[list[PairSeat], object]
"""A game, and what makes its block."""


def duel(first: int, second: int, ranks: tuple[int, int], block: object = None) -> list[Played]:
    return [
        (
            [PairSeat(first, "First", None, ranks[0]), PairSeat(second, "Second", None, ranks[1])],
            block if block is not None else object(),
        )
    ]


def mafia(village: list[int], mafia: list[int], village_wins: bool) -> list[Played]:
    roles = ["Doctor", "Detective", "Villager", "Villager"]
    rank = int(not village_wins)
    seats = [
        *(
            PairSeat(agent, role, "Village", rank)
            for agent, role in zip(village, roles, strict=True)
        ),
        *(PairSeat(agent, "Mafia", "Mafia", 1 - rank) for agent in mafia),
    ]
    return [(seats, object())]


def alone(agents: Iterable[int]) -> list[Played]:
    return [([PairSeat(agent, f"Seat {agent}", None, agent) for agent in agents], object())]


def matrix(games: list[Played], by: MeetingBy) -> HeadToHead:
    blocks: dict[object, list[dict[PairKey, int]]] = defaultdict(list)
    for seats, block in games:
        blocks[block].append(scores(seats, WHOLE))
    sums = PairSums()
    for block in blocks.values():
        sums.add(block_counts(block, WHOLE))
    return head_to_head(sums.counts(), by, WHOLE)


def against(games: list[Played]) -> HeadToHead:
    return matrix(games, "agent")


def by_role(games: list[Played]) -> HeadToHead:
    return matrix(games, "role")


def by_team(games: list[Played]) -> HeadToHead:
    return matrix(games, "team")


def test_a_win_a_draw_and_a_loss() -> None:
    seats = duel(ANN, BEN, (1, 2)) + duel(BEN, ANN, (1, 1)) + duel(ANN, CAT, (2, 1))

    matrix = against(seats)

    assert matrix.rows == matrix.columns == (ANN, BEN, CAT)
    assert (matrix.cells[ANN, BEN].games, matrix.cells[ANN, BEN].score) == (2, 0.75)
    assert matrix.cells[BEN, ANN].score == 0.25
    assert matrix.cells[CAT, ANN].score == 1.0
    assert (BEN, CAT) not in matrix.cells
    assert (ANN, ANN) not in matrix.cells


def test_team_mates_do_not_meet_and_clones_count_once() -> None:
    seats = mafia([ANN, ANN, ANN, ANN], [BEN, BEN], True) + mafia(
        [ANN, BEN, CAT, CAT], [4, 5], False
    )

    matrix = against(seats)

    assert matrix.cells[ANN, BEN].games == 1
    assert matrix.cells[ANN, BEN].score == 1.0
    assert (ANN, CAT) not in matrix.cells
    assert matrix.cells[4, CAT].score == 1.0


def test_by_role_and_by_team() -> None:
    seats = mafia([ANN, BEN, CAT, CAT], [4, 5], True) + mafia([BEN, 4, 5, CAT], [ANN, ANN], True)

    roles, teams = by_role(seats), by_team(seats)

    assert roles.columns == ("Detective", "Doctor", "Mafia", "Villager")
    assert roles.cells[ANN, "Doctor"].score == 1.0
    assert roles.cells[ANN, "Mafia"].score == 0.0
    assert roles.cells[CAT, "Villager"].games == 2
    assert teams.columns == ("Mafia", "Village")
    assert teams.cells[4, "Village"].score == 1.0
    assert teams.cells[4, "Mafia"].score == 0.0


def test_among_six_for_themselves_a_score_is_the_share_left_behind() -> None:
    seats = alone(range(5))

    assert by_role(seats).cells[1, "Seat 1"].score == 0.75
    assert against(seats).cells[1, 4].score == 1.0
    assert by_team(seats).cells == {}


def test_an_agent_against_itself_says_nothing() -> None:
    seats = duel(ANN, ANN, (1, 2)) + mafia([ANN, BEN, BEN, BEN], [ANN, CAT], True)

    assert by_role(duel(ANN, ANN, (1, 2))).cells == {}
    assert against(seats).cells[ANN, CAT].score == 1.0
    assert against(seats).cells[ANN, BEN].score == 0.0
    assert (ANN, ANN) not in against(seats).cells


def test_games_that_stand_alone_have_nearly_wilsons_interval() -> None:
    results = np.random.default_rng(1).random(400) < 0.6
    seats = [
        seat
        for game, won in enumerate(results)
        for seat in duel(ANN, BEN, (1, 2) if won else (2, 1))
    ]

    cell = against(seats).cells[ANN, BEN]

    assert cell.blocks == 400
    assert cell.interval == pytest.approx(wilson(cell.score, 400), abs=1e-3)


def test_games_of_a_block_that_go_the_same_way_say_less_and_opposite_ways_more() -> None:
    def interval(second: tuple[int, int]) -> float:
        seats = []
        for block in range(60):
            won = block % 2 == 0
            first = (1, 2) if won else (2, 1)
            seats += duel(ANN, BEN, first, block)
            seats += duel(BEN, ANN, second if won else second[::-1], block)
        low, high = against(seats).cells[ANN, BEN].interval
        return high - low

    alike, opposite = interval((2, 1)), interval((1, 2))

    alone = wilson(0.5, 120)
    assert alike > 1.25 * (alone[1] - alone[0])
    assert opposite < 0.6 * (alone[1] - alone[0])


def test_one_game_has_a_wide_interval_and_none_has_no_cell() -> None:
    cell = against(duel(ANN, BEN, (1, 2), 7)).cells[ANN, BEN]

    assert cell.interval == wilson(1.0, 1)
    assert against([]).rows == ()
    assert against([]).cells == {}


def test_a_game_of_one_team_says_nothing() -> None:
    game = [PairSeat(ANN, None, "us", 1), PairSeat(BEN, None, "us", 1)]

    assert against([(game, 1)]).rows == (ANN, BEN)
    assert against([(game, 1)]).cells == {}


def test_a_team_has_one_rank() -> None:
    with pytest.raises(ValueError, match="ranks team 0 both 1 and 2"):
        scores([PairSeat(ANN, "x", "us", 1), PairSeat(BEN, "x", "us", 2)], WHOLE)


def test_among_any_number_of_players_every_share_is_a_whole_number() -> None:
    for players in range(1, 8):
        for ours in range(1, players):
            for theirs in range(1, players - ours + 1):
                assert unit(players) % (2 * ours * theirs) == 0


# What a database answers, game after game, is what its games say.


Blocks = dict[object, list[float]]
Found = tuple[int, float, int, list[tuple[float, float]]]


def oracle(session: Session, selection: Selection, by: str) -> dict[int, dict[Any, Found]]:
    """By environment, the cells: every game looked at by itself, in floating point."""
    played = played_games(session, selection)
    cells: dict[int, dict[Any, Blocks]] = {}

    def add(at: int, place: Any, pairs: list[tuple[int, int]]) -> None:
        won = [(a < b) + (a == b) / 2 for a, b in pairs]
        seed = int(played.seeds[at])
        block: object = seed if seed >= 0 else ("game", at)
        if won:
            here = cells.setdefault(int(played.environments[at]), {}).setdefault(place, {})
            here.setdefault(block, []).append(sum(won) / len(won))

    for at, (start, size) in enumerate(zip(played.starts, played.sizes, strict=True)):
        ranks: dict[int, dict[int, int]] = defaultdict(dict)
        parts: dict[tuple[int, str], dict[int, int]] = defaultdict(dict)
        for seat in range(start, start + size):
            agent, team, rank = (int(c[seat]) for c in (played.agents, played.teams, played.ranks))
            ranks[agent][team] = rank
            names, column = (
                (played.role_names, played.roles)
                if by == "role"
                else (played.team_names, played.sides)
            )
            if by != "agent" and column[seat] >= 0:
                parts[agent, names[column[seat]]][team] = rank
        teams = {team: rank for own in ranks.values() for team, rank in own.items()}
        for one, other in permutations(ranks, 2) if by == "agent" else ():
            pairs = [
                (a, b)
                for team, a in ranks[one].items()
                for their, b in ranks[other].items()
                if team != their
            ]
            add(at, (one, other), pairs)
        for (agent, part), own in parts.items():
            others = [rank for team, rank in teams.items() if team not in ranks[agent]]
            add(at, (agent, part), [(a, b) for a in own.values() for b in others])
    return {
        environment: {place: with_interval(blocks) for place, blocks in of.items()}
        for environment, of in cells.items()
    }


def with_interval(blocks: Blocks) -> Found:
    won = [score for block in blocks.values() for score in block]
    mean = sum(won) / len(won)
    between = sum(sum(score - mean for score in block) ** 2 for block in blocks.values())
    effect = design_effect(mean, len(won), between, len(blocks))
    # Where rounding could go either way, both are right.
    games = {max(1, round(len(won) / effect + way)) for way in (-1e-9, 1e-9)}
    return len(won), mean, len(blocks), [wilson(mean, each) for each in games]


def play(url: str, rng: random.Random, games: int) -> None:
    """Three tournaments, of duels and of four, some on the same seeds and seatings, recorded as a
    run records them."""
    with get_session(url) as session:
        repo = Repository(session)
        rules = [
            repo.get_or_create_environment(name, players, package="t", version="1").id or 0
            for name, players in (("Nim-v0", 2), ("Four-v0", 4))
        ]
        kind, prompt = repo.get_or_create_kind("thinking"), repo.get_or_create_prompt("plain", "P")
        agents = []
        for name in ("scripted/a", "scripted/b", "vendor/c", "vendor/d"):
            model = repo.get_or_create_model(name, name)
            row = repo.get_or_create_agent(kind.id or 0, model.id or 0, prompt.id or 0, alias=name)
            agents.append(row.id or 0)
        keys = []
        for cup, environment in enumerate((rules[0], rules[0], rules[1])):
            size = 4 if environment == rules[1] else 2
            made = repo.create_tournament(f"cup {cup}", {"cup": cup}, cup, games, environment)
            pairings = [
                Pairing(at, rng.randrange(4), tuple(rng.choices(agents[: 2 + at % 3], k=size)))
                for at in range(games)
            ]
            keys += [(key, size) for key in repo.schedule_games(made.id or 0, pairings)]
    # Games end in another order than they are rated in.
    rng.shuffle(keys)

    async def record() -> None:
        async with Recorder(url, FOLD) as recorder:
            for number, (key, size) in enumerate(keys):
                if rng.random() < 0.6:
                    await recorder.append(opened(key, 0, 0, "go"), acted(key, 0, 0, "1"))
                sides = "x" * (size // 2) + "y" * (size // 2)
                teams: list[str | None] = [*sides] if rng.random() < 0.5 else [None] * size
                places = {team: rng.randrange(3) for team in teams if team}
                players = [
                    PlayerFinished(
                        seat,
                        rng.choice(["spy", "judge", None]),
                        team,
                        places[team] if team else rng.randrange(3),
                        0.0,
                    )
                    for seat, team in enumerate(teams)
                ]
                moment = NOON + timedelta(seconds=number)
                await recorder.append(
                    GameFinished(
                        key, moment, None, rng.choice(["natural", "silence"]), "", 1, players
                    )
                )

    asyncio.run(record())


@pytest.mark.parametrize("seed", range(2))
def test_counts_kept_as_games_finish_answer_what_the_games_say(
    database_url: str, seed: int
) -> None:
    play(database_url, random.Random(seed), games=25)
    with get_session(database_url) as session:
        assert Repository(session).compare_pairs() == []
        repeated = 0
        questions: list[dict[str, Any]] = [
            {}, {"environment": 1}, {"tournament": "cup 1"}, {"tournament": 3},
            {"tournament": ["cup 0", "cup 1"]}, {"termination": "natural"},
        ]  # fmt: skip
        for asked in questions:
            selection = Selection(**asked)
            for by in get_args(MeetingBy):
                found = meetings(session, LeaderboardQuery(selection), by)
                expected = oracle(session, selection, by)
                assert len(found) == len(expected) > 0
                for meeting in found:
                    rules = 1 if meeting.environment == "Nim-v0" else 2
                    chosen = played_games(session, Selection(**{**asked, "environment": rules}))
                    assert meeting.games == len(chosen)
                    assert meeting.repeats == chosen.repeats.sum()
                    assert meeting.matrix.rows == tuple(np.unique(chosen.agents))
                    repeated += meeting.repeats
                    cells = expected[rules]
                    assert set(meeting.matrix.cells) == set(cells)
                    for place, cell in meeting.matrix.cells.items():
                        games, mean, blocks, intervals = cells[place]
                        assert (cell.games, cell.blocks) == (games, blocks)
                        assert cell.score == pytest.approx(mean, abs=1e-12)
                        assert cell.interval in [pytest.approx(one, abs=1e-12) for one in intervals]
        assert repeated > 0


def test_pairs_are_counted_by_the_roles_of_both(database_url: str) -> None:
    play(database_url, random.Random(3), games=12)
    with get_session(database_url) as session:
        played = played_games(session, Selection(tournament="cup 2"))
    expected: dict[Any, list[float]] = defaultdict(list)
    for start, size in zip(played.starts, played.sizes, strict=True):
        places: dict[tuple[int, str], dict[int, int]] = defaultdict(dict)
        for seat in range(start, start + size):
            if played.roles[seat] >= 0:
                key = int(played.agents[seat]), played.role_names[played.roles[seat]]
                places[key][int(played.teams[seat])] = int(played.ranks[seat])
        for one, other in permutations(places, 2):
            met = [
                (a < b) + (a == b) / 2
                for team, a in places[one].items()
                for their, b in places[other].items()
                if team != their
            ]
            if one[0] != other[0] and met:
                expected[*one, *other].append(sum(met) / len(met))

    frame = pairs_df(database_url, tournament="cup 2")

    keys = zip(frame.agent_id, frame.role, frame.against_id, frame.against_role, strict=True)
    assert {*keys} == {*expected}
    for row in frame.itertuples():
        won = expected[row.agent_id, row.role, row.against_id, row.against_role]
        told = [won.count(1.0), len(won) - won.count(1.0) - won.count(0.0), won.count(0.0)]
        assert [row.before, row.level, row.after] == told
        assert row.games == len(won)
        assert row.score == pytest.approx(sum(won) / len(won), abs=1e-12)
    with get_session(database_url) as session:
        session.execute(text("DELETE FROM pair_scopes"))
    with pytest.raises(UsageError, match="arena ratings rebuild"):
        pairs_df(database_url)
    rebuild(database_url)
    assert len(pairs_df(database_url)) > len(frame)
