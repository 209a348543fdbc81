"""A game is played on from a turn with another agent; before it, everything is as it was."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena import registry
from arena.config import loads
from arena.core import DivergenceError, UsageError
from arena.orchestrator import Stop, run
from arena.replay.branch import BranchProgress, BranchReport, branch
from arena.replay.check import check
from arena.replay.effects import score
from db import get_session
from db.errors import BadSelection
from db.queries.transcript import transcript
from db.queries.usage import UsageRow, usage
from tests.servers.openai_server import OpenAIServer, Reply, error

pytestmark = pytest.mark.slow

VILLAGE = """
name: village
seed: 7
environment: {name: SecretMafia-v0, players: 6, options: {discussion_rounds: 1}}
games: 2
models:
  - {name: random, litellm_model: scripted/random}
  - {name: sharp, litellm_model: scripted/mafia-sharp}
prompts:
  - {name: plain, text: "You are player {{player_index}} of {{num_players}}."}
  - {name: calm, text: "You are player {{player_index}}. Stay calm."}
agents:
  - {name: Ann, kind: remembering, model: random, prompt: plain}
  - {name: Bob, kind: remembering, model: sharp, prompt: plain}
  - {name: Cid, model: random, prompt: calm}
  - {name: Dot, kind: remembering, model: random, prompt: calm}
  - {name: Eve, model: sharp, prompt: calm}
  - {name: Fay, model: random, prompt: plain}
"""

TURNS = (
    "SELECT turn_number, player_index, action, submitted, invalid, lapse, observed_at, acted_at, "
    "response_time_ms FROM game_turns WHERE game_id = {} ORDER BY turn_number"
)
CALLS = (
    "SELECT t.turn_number, c.call_number, c.request_hash FROM llm_calls c "
    "JOIN game_turns t ON t.id = c.game_turn_id WHERE t.game_id = {} ORDER BY 1, 2"
)
CALLED = "SELECT id, request_sent_at FROM llm_calls WHERE error_class IS NULL ORDER BY 2, 1"
BRANCHES = (
    "SELECT id, status, parent_turn, attempt, tournament_id, fold_index FROM games "
    "WHERE parent_game_id = 1 ORDER BY id"
)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def sitting(url: str, game: int) -> dict[int, str]:
    found = rows(
        url,
        "SELECT p.player_index, a.alias FROM game_players p JOIN agents a ON a.id = p.agent_id "
        f"WHERE p.game_id = {game} ORDER BY 1",
    )
    return {int(player): str(name) for player, name in found}


def player_of(url: str, name: str, game: int = 1) -> int:
    return {who: player for player, who in sitting(url, game).items()}[name]


def branched(
    url: str, turn: int, seats: Mapping[int, str], game: int = 1, **how: Any
) -> BranchReport:
    return asyncio.run(branch(game, turn, seats, url=url, **how))


@pytest.fixture
def village(database_url: str) -> str:
    """Two games on record, on both databases."""
    asyncio.run(run(loads(VILLAGE), url=database_url))
    return database_url


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a file, to be copied."""
    path = tmp_path_factory.mktemp("village") / "arena.db"
    asyncio.run(run(loads(VILLAGE), url=path))
    return path


@pytest.fixture
def sqlite_village(played: Path, tmp_path: Path) -> str:
    shutil.copyfile(played, tmp_path / "village.db")
    return f"sqlite:///{tmp_path}/village.db"


def test_a_branch_is_the_same_game_up_to_its_turn_and_another_from_there(village: str) -> None:
    place = player_of(village, "Cid")
    before = rows(village, TURNS.format(1))
    shown: list[BranchProgress] = []

    report = branched(village, 7, {place: "Bob"}, times=2, on_progress=shown.append)

    assert rows(village, TURNS.format(1)) == before
    assert [(len(report.branches), len(report.controls)), report.void, report.cost] == [
        (2, 2),
        0,
        0,
    ]
    assert shown[-1].done == shown[-1].total == 4
    for game in (*report.branches, *report.controls):
        assert rows(village, TURNS.format(game))[:7] == before[:7]
        assert min(turn for turn, *_ in rows(village, CALLS.format(game))) == 7
        assert rows(village, TURNS.format(game))[7:] != before[7:]
    assert sitting(village, report.branches[0]) == {**sitting(village, 1), place: "Bob"}
    assert sitting(village, report.controls[0]) == sitting(village, 1)
    assert [row[1:] for row in rows(village, BRANCHES)] == [
        ("completed", 7, number, None, None) for number in range(4)
    ]


def test_a_branch_moves_no_rating_and_counts_in_no_tournament(sqlite_village: str) -> None:
    watched = [
        "SELECT * FROM agent_trueskill ORDER BY 1, 2",
        "SELECT * FROM rating_changes ORDER BY 1, 2",
        "SELECT * FROM counters ORDER BY 1, 2, 3, 4, 5",
        "SELECT * FROM tournaments",
        "SELECT * FROM games WHERE parent_game_id IS NULL",
    ]
    before = [rows(sqlite_village, query) for query in watched]

    branched(sqlite_village, 3, {player_of(sqlite_village, "Fay"): "Eve"}, times=1)

    assert [rows(sqlite_village, query) for query in watched] == before


def test_every_branch_can_be_checked_against_its_record(village: str) -> None:
    report = branched(village, 9, {player_of(village, "Fay"): "Bob"}, times=2)

    for game in (*report.branches, *report.controls):
        found = check(game, village)
        assert (found.ok, found.first_difference) == (True, None)


def test_an_agent_that_stays_keeps_its_memory_and_a_new_one_has_none(sqlite_village: str) -> None:
    url = sqlite_village
    with get_session(url) as session:
        turns = transcript(session, 1)
    # Two calls: notes from an earlier turn are rewritten first.
    at, stays = next((t.turn_number, t.player_index) for t in turns if len(t.calls) == 2)
    fay = player_of(url, "Fay")

    staying = branched(url, at, {fay: "Eve"}, times=1, control=False).branches[0]
    remembering = "Bob" if sitting(url, 1)[stays] != "Bob" else "Ann"
    fresh = branched(url, at, {stays: remembering}, times=1, control=False).branches[0]

    with get_session(url) as session:
        kept, new = transcript(session, staying)[at], transcript(session, fresh)[at]
    before = turns[at]
    assert kept.observation == new.observation == before.observation
    assert [call.call_number for call in kept.calls] == [0, 1]
    assert kept.calls[0].messages == before.calls[0].messages, "the same notes to rewrite"
    assert [call.call_number for call in new.calls] == [0], "no notes to rewrite"


def test_every_branch_asks_with_seeds_of_its_own(sqlite_village: str) -> None:
    report = branched(sqlite_village, 2, {player_of(sqlite_village, "Fay"): "Ann"}, times=2)

    first = [
        rows(sqlite_village, CALLS.format(game))[0][2]
        for game in (1, *report.branches, *report.controls)
    ]
    assert len(set(first)) == 5


def test_the_branch_of_a_branch_knows_both_its_ancestors(sqlite_village: str) -> None:
    url = sqlite_village
    fay = player_of(url, "Fay")
    child = branched(url, 4, {fay: "Ann"}, times=1, control=False).branches[0]

    report = branched(url, 6, {fay: "Bob"}, game=child, times=1)

    for game in (*report.branches, *report.controls):
        assert check(game, url).ok
        assert rows(url, TURNS.format(game))[:6] == rows(url, TURNS.format(child))[:6]
        assert min(turn for turn, *_ in rows(url, CALLS.format(game))) == 6
    assert rows(url, CALLS.format(report.controls[0])) != rows(url, CALLS.format(child))[-1:]


DUEL = """
name: duel
environment: {name: TicTacToe-v0, players: 2}
games: 1
models:
  - {name: random, litellm_model: scripted/random}
prompts:
  - {name: plain, text: "You are player {{player_index}}."}
  - {name: calm, text: "Stay calm."}
agents:
  - {name: Ann, model: random, prompt: plain}
  - {name: Bob, model: random, prompt: calm}
"""


def won(url: str, games: Sequence[int], player: int) -> float:
    """The share of two-player games that a player has won, draws for half, from their ranks."""
    listed = ", ".join(map(str, games))
    ranks = rows(
        url,
        "SELECT me.rank, other.rank FROM game_players me JOIN game_players other "
        "ON other.game_id = me.game_id AND other.player_index <> me.player_index "
        f"WHERE me.player_index = {player} AND me.game_id IN ({listed})",
    )
    return sum(0.5 if mine == theirs else 1.0 - mine for mine, theirs in ranks) / len(ranks)


def test_the_effect_is_the_difference_of_the_shares_of_that_player(sqlite_url: str) -> None:
    asyncio.run(run(loads(DUEL), url=sqlite_url))
    place = player_of(sqlite_url, "Ann")
    third = DUEL.replace("duel", "third").replace("name: Bob", "name: Cid").replace("calm", "cool")
    asyncio.run(run(loads(third), url=sqlite_url))

    report = branched(sqlite_url, 0, {place: "Cid"}, times=8)

    assert (report.player, len(report.branches), len(report.controls)) == (place, 8, 8)
    assert report.share == pytest.approx(won(sqlite_url, report.branches, place))
    assert report.control_share == pytest.approx(won(sqlite_url, report.controls, place))
    assert report.recorded_share == won(sqlite_url, [1], place)
    assert report.share is not None
    assert report.control_share is not None
    assert report.effect == pytest.approx(report.share - report.control_share)
    assert report.effect_interval is not None
    low, high = report.effect_interval
    assert low < report.effect < high

    alone = branched(sqlite_url, 0, {place: "Cid"}, times=1, control=False)
    assert (alone.control_share, alone.effect, alone.effect_interval) == (None, None, None)
    assert alone.share_interval is not None


def test_only_what_comes_after_the_turn_is_asked_and_paid_for(sqlite_url: str) -> None:
    answers = [error(401, "no such key")]

    def reply(body: dict[str, Any]) -> Reply | str:
        rng = random.Random(body["messages"][-1]["content"])
        return answers[0] if asking[0] else registry.policy("random")(body["messages"], rng)

    asking = [False]
    with OpenAIServer(reply) as server:
        paid = f"openai/one, api_base: {server.url}, input_price: 1.0, output_price: 2.0"
        paid += ", params: {max_tokens: 9}"
        duel = DUEL.replace("scripted/random", paid)
        asyncio.run(run(loads(duel), url=sqlite_url))
        third = duel.replace("duel", "third").replace("name: Bob", "name: Cid")
        asyncio.run(run(loads(third.replace("calm", "cool")), url=sqlite_url))
        place = player_of(sqlite_url, "Ann")
        server.requests.clear()

        report = branched(sqlite_url, 4, {place: "Cid"}, times=2)

        live = "t.game_id IN (SELECT id FROM games WHERE parent_game_id = 1)"
        ((calls, cost),) = rows(
            sqlite_url,
            "SELECT COUNT(*), SUM(c.cost) FROM llm_calls c JOIN game_turns t "
            f"ON t.id = c.game_turn_id WHERE {live}",
        )
        assert len(server.requests) == calls > 0
        assert report.cost == pytest.approx(cost)
        assert report.cost > 0

        # Nobody said what it may cost, then too little for the first call of any.
        with pytest.raises(UsageError, match=r"costs money.*--budget"):
            branched(sqlite_url, 4, {place: "Cid"}, uncapped=False)
        server.requests.clear()
        [most] = rows(sqlite_url, "SELECT MAX(reserved) FROM llm_calls")
        cap = 1.5 * most[0] + report.cost / 2
        poor = branched(sqlite_url, 4, {place: "Cid"}, times=30, budget=cap)
        assert 0 < poor.cost <= cap
        assert poor.branches
        assert len(poor.branches) + len(poor.controls) + poor.void < 60
        assert poor.error is not None
        assert "budget" in poor.error
        # Paused, it resumes: what it has cost counts against what it may.
        assert (poor.void, poor.left) == (0, 60 - len(poor.branches) - len(poor.controls))
        assert branched(sqlite_url, 4, {place: "Cid"}, times=30, budget=cap).cost < cap - poor.cost
        rich = branched(sqlite_url, 4, {place: "Cid"}, times=30)
        assert (len(rich.branches), len(rich.controls), rich.left) == (30, 30, 0)

        asking[0] = True
        server.requests.clear()
        refused = branched(sqlite_url, 4, {place: "Cid"}, times=9, concurrency=1)

        assert (refused.branches, refused.share, refused.effect_interval) == ((), None, None)
        assert (refused.void, refused.left) == (0, 18)
        assert len(server.requests) == 1, "nobody asks for the others"
        assert refused.error is not None
        assert "key" in refused.error
    assert report.branches


def test_a_branch_that_is_stopped_resumes(sqlite_village: str) -> None:
    stop = Stop()

    async def main() -> BranchReport:
        return await branch(
            1,
            2,
            {player_of(sqlite_village, "Fay"): "Ann"},
            times=20,
            url=sqlite_village,
            concurrency=1,
            stop=stop,
            on_progress=lambda seen: stop.request() if seen.done == 3 else None,
        )

    report = asyncio.run(main())

    assert len(report.branches) + len(report.controls) == 3
    assert (report.left, report.void) == (37, 0)
    statuses = Counter(status for _, status, *_ in rows(sqlite_village, BRANCHES))
    assert statuses["completed"] == 3
    assert statuses["completed"] + statuses["running"] + statuses["scheduled"] == 40
    assert statuses["running"] <= 1
    before = rows(sqlite_village, CALLED)

    rest = branched(
        sqlite_village, 2, {player_of(sqlite_village, "Fay"): "Ann"}, times=20, concurrency=3
    )

    assert (len(rest.branches), len(rest.controls), rest.left) == (20, 20, 0)
    assert set(report.branches) < set(rest.branches)
    assert rows(sqlite_village, CALLED)[: len(before)] == before, "nothing is asked again"
    for game in (*rest.branches, *rest.controls):
        assert check(game, sqlite_village).ok


def test_a_game_that_cannot_be_played_again_is_not_branched(sqlite_village: str) -> None:
    with get_session(sqlite_village) as session:
        session.execute(text("UPDATE llm_calls SET request_hash = 'another' WHERE call_number = 1"))

    with pytest.raises(DivergenceError, match=r"game 1 cannot be played again up to turn 6: turn"):
        branched(sqlite_village, 6, {player_of(sqlite_village, "Cid"): "Ann"}, times=2)

    causes = rows(sqlite_village, "SELECT DISTINCT void_cause FROM games WHERE status = 'void'")
    assert ("divergence",) in causes
    assert rows(sqlite_village, "SELECT 1 FROM games WHERE status IN ('running','scheduled')") == []


@pytest.mark.parametrize(
    ("game", "turn", "seats", "said"),
    [
        (99, 2, {0: "Ann"}, "there is no game 99; `arena games` lists them"),
        (1, 999, {0: "Ann"}, r"game 1 has turns 0 to \d+, found turn 999"),
        (1, -1, {0: "Ann"}, r"game 1 has turns 0 to \d+, found turn -1"),
        (1, 2, {6: "Ann"}, "game 1 has players 0 to 5, found player 6"),
        (1, 2, {}, "say who plays on: a player and the name of its new agent"),
    ],
)
def test_what_cannot_be_branched_is_said(
    sqlite_village: str, game: int, turn: int, seats: dict[int, str], said: str
) -> None:
    url = sqlite_village
    before = rows(url, "SELECT COUNT(*) FROM games")

    with pytest.raises(UsageError, match=said):
        branched(url, turn, seats, game=game)

    assert rows(url, "SELECT COUNT(*) FROM games") == before


def test_a_wrong_agent_is_named_and_so_is_the_one_who_sits_there(sqlite_village: str) -> None:
    url = sqlite_village
    cid = player_of(url, "Cid")

    with pytest.raises(BadSelection, match="unknown agent 'Cyd'; did you mean 'Cid'"):
        branched(url, 2, {cid: "Cyd"})
    with pytest.raises(UsageError, match=f"player {cid} of game 1 is 'Cid' already"):
        branched(url, 2, {cid: "Cid"})


def test_a_score_is_that_of_the_team() -> None:
    won = {0: ("Village", 0), 1: ("Mafia", 1), 2: ("Village", 0)}
    drawn = {0: (None, 0), 1: (None, 0), 2: (None, 1)}

    assert [score(won, player) for player in won] == [1.0, 0.0, 1.0]
    assert [score(drawn, player) for player in drawn] == [0.5, 0.5, 0.0]


def test_a_branch_costs_its_agents_only_what_it_played(village: str) -> None:
    before = sum(row.turns for row in used(village).values())
    report = branched(village, 4, {player_of(village, "Ann"): "Cid"})
    own = rows(
        village,
        "SELECT COUNT(*) FROM game_turns t JOIN games g ON g.id = t.game_id "
        "WHERE g.parent_game_id = 1 AND t.turn_number >= 4",
    )[0][0]

    assert report.branches
    assert sum(row.turns for row in used(village).values()) == before + own


def used(url: str) -> dict[int, UsageRow]:
    with get_session(url) as session:
        return usage(session)
