"""A selection finds the games and seats that a loop over all of them finds, on both databases."""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from db import Agent, Environment, Game, GamePlayer, Repository, Tournament, get_session
from db.errors import BadSelection
from db.finding import find
from db.models import TournamentLease
from db.queries.games import count_games, games
from db.selection import RESULTS, STATUSES, Selection, moment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALIVE = {"host": socket.gethostname(), "pid": os.getpid()}
# No process has this number: it is above what any system counts to.
DEAD = {"host": socket.gethostname(), "pid": 2**22 + 1}
ENDINGS = ("natural", "silence", "turn_limit")
TEAMS = (("Village", "Mafia", "Village"), (None, None, None), ("Mafia", None, None))
ROLES = (("Doctor", "Mafia", None), (None, None, None))
RANKS = ((0, 1, 0), (0, 0, 0), (1, 0, 2), (None, 0, 1))
GAMES = 64 + len(TEAMS) * len(ROLES) * len(RANKS)

NOUNS: dict[str, tuple[str | int, ...]] = {
    "tournament": ("alive", "dead", "over", 2),
    "environment": ("Duel-v0", "Mafia-v0", 3),
    "agent": ("Ann", "Bob", "thinking/large/plain", "remembering/small/plain", 5),
    "kind": ("thinking", "remembering", 2),
    "model": ("small", "large"),
    "prompt": ("plain", "other"),
}
WORDS: dict[str, tuple[str, ...]] = {
    "role": ("Doctor", "Mafia"),
    "team": ("Village", "Mafia"),
    "result": RESULTS,
    "status": STATUSES,
    "termination": ENDINGS,
}


def fill(url: str) -> None:
    """Games with every status, ending, seating of roles and teams, order of finish and time, in
    three tournaments and in none, by five agents, of which two have no alias."""
    with get_session(url) as session:
        repo = Repository(session)
        kinds = [
            repo.get_or_create_kind("thinking"),
            repo.get_or_create_kind("thinking", version=2),
            repo.get_or_create_kind("remembering"),
        ]
        models = [repo.get_or_create_model(name, f"scripted/{name}") for name in ("small", "large")]
        prompts = [repo.get_or_create_prompt(name, name) for name in ("plain", "other")]
        for kind, model, prompt, alias in (
            (0, 0, 0, "Ann"), (0, 0, 1, "Bob"), (0, 1, 0, None), (2, 0, 0, None), (1, 1, 1, "Cy"),
        ):  # fmt: skip
            parts = (kinds[kind].id or 0, models[model].id or 0, prompts[prompt].id or 0)
            repo.create_agent(*parts, alias=alias)
        rules = [
            repo.get_or_create_environment(name, players, package="p", version=version)
            for name, players, version in (
                ("Duel-v0", 2, "1"), ("Mafia-v0", 3, "1"), ("Duel-v0", 2, "2"),
            )
        ]  # fmt: skip
        cups = [
            repo.create_tournament(name, {}, 7, 1, rules[0].id or 0)
            for name in ("alive", "dead", "over")
        ]
        for cup, holder in zip(cups, (ALIVE, DEAD), strict=False):
            session.add(
                TournamentLease(tournament_id=cup.id, holder=json.dumps(holder), fence=1, beat=1)
            )
        lot = random.Random(5)
        statuses = ("scheduled", "running", "completed", "void")
        for number, (status, cup) in enumerate(product(statuses * 4, (*cups, None))):
            seats = (lot.choice(TEAMS), lot.choice(ROLES), lot.choice(RANKS))
            _play(session, lot, number, status, lot.choice(rules), cup, *seats)
        for number, seats in enumerate(product(TEAMS, ROLES, RANKS), start=64):
            _play(session, lot, number, "completed", rules[1], lot.choice([*cups, None]), *seats)


def _play(
    session: Session, lot: random.Random, number: int, status: str, rules: Environment,
    cup: Tournament | None, teams: Sequence[str | None], roles: Sequence[str | None],
    ranks: Sequence[int | None],
) -> None:  # fmt: skip
    over = status in ("completed", "void")
    game = Game(
        environment_id=rules.id,
        tournament_id=cup.id if cup else None,
        schedule_index=number if cup else None,
        status=status,
        termination=lot.choice(ENDINGS) if status == "completed" else None,
        finished_at=NOON + timedelta(hours=lot.randrange(8)) if over else None,
        parent_game_id=lot.choice([None, None, 1, 2]) if number > 2 else None,
        parent_turn=0 if number > 2 else None,
        revision=1 + number % 2,
    )
    session.add(game)
    session.flush()
    for index, (team, role, rank) in enumerate(zip(teams, roles, ranks, strict=True)):
        if index < rules.num_players:
            session.add(
                GamePlayer(
                    game_id=game.id, agent_id=lot.randrange(1, 6), player_index=index, role=role,
                    team=team, rank=rank if status == "completed" else None,
                )
            )  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    """A session on the same games in either database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = str(tmp_path_factory.mktemp("selection") / "filled.db")
        else:
            fresh = request.getfixturevalue("fresh_postgresql")
            url = stack.enter_context(fresh("arena_template"))
        fill(url)
        yield stack.enter_context(get_session(url))


@cache
def everything(session: Session) -> Sequence[Game]:
    """All games of a session, the newest first."""
    return session.exec(select(Game).order_by(col(Game.id).desc())).all()


def result_of(game: Game, player: GamePlayer) -> str | None:
    """How a game ended for one of its players."""
    if game.status != "completed" or player.rank is None:
        return None
    others = [
        other
        for other in game.players
        if other is not player and (other.team is None or other.team != player.team)
    ]
    ranks = [other.rank for other in game.players if other.rank is not None]
    if player.rank > min(ranks):
        return "loss"
    return "draw" if any(o.rank == player.rank for o in others) else "win"


def is_named(noun: str, row: Any, name: str | int) -> bool:
    """Whether this is the row, or one of the rows, of a name or number."""
    if isinstance(name, int):
        return bool(row.id == name)
    if noun == "agent":
        return name in (row.alias, f"{row.kind.name}/{row.model.name}/{row.prompt.name}")
    return bool(row.name == name)


def status_of(game: Game) -> str:
    held = game.tournament is None or game.tournament.name == "alive"
    return "paused" if game.status == "running" and not held else game.status


def fits(game: Game, asked: dict[str, Any]) -> list[int]:
    """The places of the seats that a selection means; none where the game itself is not meant."""
    if "status" in asked and status_of(game) not in asked["status"]:
        return []
    for noun in ("tournament", "environment"):
        row = getattr(game, noun)
        if noun in asked and (row is None or not any(is_named(noun, row, n) for n in asked[noun])):
            return []
    if "termination" in asked and game.termination not in asked["termination"]:
        return []
    if "game" in asked and game.id not in asked["game"]:
        return []
    if "parent" in asked and game.parent_game_id not in asked["parent"]:
        return []
    if "revision" in asked and game.revision not in asked["revision"]:
        return []
    at = game.finished_at
    if "since" in asked and (at is None or at < asked["since"]):
        return []
    if "until" in asked and (at is None or at >= asked["until"]):
        return []
    seats = []
    for player in game.players:
        agent = player.agent
        rows = {"agent": agent, "kind": agent.kind, "model": agent.model, "prompt": agent.prompt}
        facts = {"role": player.role, "team": player.team, "result": result_of(game, player)}
        if all(
            any(is_named(noun, row, name) for name in asked[noun])
            for noun, row in rows.items()
            if noun in asked
        ) and all(fact in asked[noun] for noun, fact in facts.items() if noun in asked):
            opponents = [
                other.agent
                for other in game.players
                if other is not player and (other.team is None or other.team != player.team)
            ]
            if "against" in asked and not any(
                is_named("agent", opponent, name)
                for opponent in opponents
                for name in asked["against"]
            ):
                continue
            seats.append(player.player_index)
    return seats


TIMES = tuple(NOON + timedelta(hours=hour) for hour in range(9))
VALUES: dict[str, tuple[Any, ...]] = {
    **NOUNS, **WORDS, "since": TIMES, "until": TIMES, "game": tuple(range(1, GAMES)),
    "parent": (1, 2), "revision": (1, 2, 3), "against": NOUNS["agent"],
}  # fmt: skip


def check(session: Session, asked: dict[str, Any]) -> None:
    """That the seats, the games and their number are those that a loop finds."""
    meant = {game.id: seats for game in everything(session) if (seats := fits(game, asked))}

    selection = Selection(**asked)
    chosen = (
        select(GamePlayer.game_id, GamePlayer.player_index)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .where(*selection.on(session).of_seats())
    )
    found: dict[int, list[int]] = {}
    for game, place in session.exec(chosen.order_by(col(GamePlayer.id))):
        found.setdefault(game, []).append(place)

    assert found == meant, asked
    assert [row.game_id for row in games(session, selection)] == [*meant], asked
    assert sum(count_games(session, selection).values()) == len(meant), asked


@pytest.mark.slow
def test_every_value_alone_and_every_pair_of_fields(
    filled: Session, request: pytest.FixtureRequest
) -> None:
    """Every field with a third of the others; in a sweep with every other."""
    lot = random.Random(7)
    for field, values in VALUES.items():
        for value in values[:12]:
            check(filled, {field: value if field in ("since", "until") else (value,)})
    step = 1 if request.config.getoption("--sweep") else 3
    for pair in [*combinations(VALUES, 2)][::step]:
        asked = {field: lot.sample(VALUES[field], 2) for field in pair}
        check(filled, {f: v[0] if f in ("since", "until") else (*v,) for f, v in asked.items()})


def several(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3).map(tuple)


ASKED = st.fixed_dictionaries(
    {},
    optional={
        field: st.sampled_from(values) if field in ("since", "until") else several(values)
        for field, values in VALUES.items()
    },
)


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(asked=ASKED)
def test_any_fields_at_once(filled: Session, asked: dict[str, Any]) -> None:
    check(filled, asked)


def test_every_value_alone_selects_some_games_and_not_all(filled: Session) -> None:
    number = len(games(filled))
    assert number == GAMES
    for field, values in {**NOUNS, **WORDS, "against": NOUNS["agent"]}.items():
        for value in values:
            assert 0 < len(games(filled, Selection(**{field: value}))) < number, (field, value)


def test_one_value_and_several_are_asked_alike() -> None:
    assert Selection(tournament="cup", game=3) == Selection(tournament=["cup"], game=(3,))
    assert hash(Selection(agent=["Ann", 2])) == hash(Selection(agent=("Ann", 2)))
    assert Selection(role=()) == Selection()
    assert Selection(since="2026-03-01T12:00+00:00") == Selection(since=NOON)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"agent": "An"},
            "unknown agent 'An'; did you mean 'Ann'? `arena agents list --all` lists",
        ),
        ({"agent": "99"}, "unknown agent '99'; known: Ann, Bob, Cy, remembering/small/plain"),
        ({"agent": 99}, "unknown agent 99; known: Ann"),
        ({"against": "An"}, "unknown agent 'An'; did you mean 'Ann'?"),
        ({"tournament": "deed"}, "did you mean 'dead'? `arena tournaments list` lists them"),
        ({"environment": "Duel"}, "unknown environment 'Duel'; did you mean 'Duel-v0'?"),
        ({"kind": "thinkin"}, "did you mean 'thinking'? `arena kinds list --all` lists them"),
        ({"model": "smal"}, "did you mean 'small'? `arena models list --all` lists them"),
        ({"prompt": "plane"}, "did you mean 'plain'? `arena prompts list --all` lists them"),
        ({"role": "Docter"}, "unknown role 'Docter'; did you mean 'Doctor'?"),
        ({"team": "Vilage"}, "unknown team 'Vilage'; did you mean 'Village'?"),
        ({"termination": "silent"}, "unknown termination 'silent'; did you mean 'silence'?"),
        ({"game": 999}, "there is no game 999; `arena games` lists them"),
        ({"parent": [1, 999]}, "there is no game 999; `arena games` lists them"),
    ],
    ids=str,
)
def test_what_is_not_on_record_gets_the_nearest_and_where_to_look(
    filled: Session, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadSelection) as refused:
        games(filled, Selection(**asked))

    assert said in str(refused.value)


def test_an_empty_database_has_no_names(database_url: str) -> None:
    with get_session(database_url) as session:
        assert games(session) == []
        for field in ("tournament", "agent", "role"):
            with pytest.raises(BadSelection, match=f"'x': no {field} is on record yet"):
                games(session, Selection(**{field: "x"}))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"status": "done"}, "'done': expected scheduled, running, paused, completed, void"),
        ({"result": ("win", "won")}, "unknown result 'won': expected win, draw, loss"),
        *(
            ({"since": wrong}, "expected a date such as 2026-01-31")
            for wrong in ("tomorrow", "2026-13-01", "", "1")
        ),
        ({"until": "0001-01-01T00:00+23:59"}, "is no date that games can have finished at"),
    ],
    ids=str,
)
def test_what_there_cannot_be_is_refused_before_any_database(
    asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadSelection, match=said):
        Selection(**asked)


def test_a_time_without_a_zone_is_the_readers_own() -> None:
    assert moment("2026-03-01") == datetime(2026, 3, 1).astimezone()
    assert moment(datetime(2026, 3, 1, 12)) == moment("2026-03-01 12:00")
    assert moment("2026-03-01T12:00+02:00") == NOON - timedelta(hours=2)


def test_an_agents_own_name_goes_before_parts_and_numbers(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        repo = Repository(session)
        parts = (
            repo.get_or_create_kind("k").id or 0,
            repo.get_or_create_model("m", "scripted/m").id or 0,
            repo.get_or_create_prompt("p", "p").id or 0,
        )
        for alias, options in (("Ann", {"n": 1}), ("k/m/p", {"n": 2}), ("1", {"n": 3})):
            repo.create_agent(*parts, alias=alias, options=options)

        assert find(session, "agent", "k/m/p") == (2,)
        assert find(session, "agent", "1") == (3,)
        assert find(session, "agent", 1) == find(session, "agent", "Ann") == (1,)
        assert find(session, "agent", "2") == (2,)
        repo.create_agent(
            parts[0], parts[1], repo.get_or_create_prompt("q", "q").id or 0, alias="Q"
        )
        assert find(session, "agent", "k/m/q") == find(session, "agent", "Q") == (4,)

        repo.create_agent(*parts, options={"n": 4})
        repo.create_agent(*parts, options={"n": 5})
        agent = session.get(Agent, 2)
        assert agent is not None
        agent.alias = None
        session.flush()
        with pytest.raises(BadSelection, match=r"3 agents are named 'k/m/p': .* 2, 5, 6"):
            find(session, "agent", "k/m/p")
