"""Any set of games, rated; and what stands beside a rating so that nobody takes it for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from arena.compare import Comparison, Question, played
from arena.core import UsageError
from arena.forecast import Outlook, PlanScope, plan_two
from arena.leaderboard import Board, LeaderboardQuery, boards
from arena.leaderboard.meetings import Meeting, meetings
from arena.leaderboard.weights import read_weights
from arena.orchestrator import schedule
from arena.ratings.probit import Probit
from arena.record.rating_columns import rating_columns
from db import Game, LLMCall, get_session
from db.codec import Codec, answer_text
from db.errors import BadSelection
from db.keys import call_key, turn_key
from db.models import CallPayload
from db.queries.played import played_games
from db.selection import Selection
from tests.leaderboard.answered import DRAWN, SCRIPTED, Answered
from tests.leaderboard.table import NOON, Sat, Table

Fill = Callable[[Table], None]


def asked(url: str, fill: Fill, query: LeaderboardQuery | None = None) -> list[Board]:
    with get_session(url) as session:
        fill(Table(session))
    return ask(url, query or LeaderboardQuery())


def ask(url: str, query: LeaderboardQuery) -> list[Board]:
    with get_session(url) as session:
        return boards(session, query)


def three(table: Table) -> tuple[int, int, int]:
    ann, bob, cid = (table.agent(name, model=name) for name in ("Ann", "Bob", "Cid"))
    return ann, bob, cid


def ladder(table: Table) -> None:
    """Ann beats Bob, Bob beats Cid, mostly."""
    ann, bob, cid = three(table)
    duel = table.environment("Duel-v0")
    for better, worse in ((ann, bob), (bob, cid), (ann, cid)):
        table.duel(duel, better, worse, 9)
        table.duel(duel, worse, better, 3)


@pytest.mark.parametrize("system", ["probit", "trueskill"])
def test_ratings_are_differences_around_25(sqlite_url: str, system: str) -> None:
    (board,) = asked(sqlite_url, ladder, LeaderboardQuery(system=system))

    assert [row.name for row in board.rows] == ["Ann", "Bob", "Cid"]
    assert sum(row.rating for row in board.rows) == pytest.approx(75)
    assert (board.environment, board.games, board.system) == ("Duel-v0", 36, system)
    for row in board.rows:
        assert row.high - row.low == pytest.approx(2 * 1.959964 * row.sigma)
        assert row.record.whole.games == 24
        assert row.group


def test_every_registered_system_rates_the_same_games(sqlite_url: str) -> None:
    from arena.registry import names

    with get_session(sqlite_url) as session:
        ladder(Table(session))
    for system in names("ratings"):
        (board,) = ask(sqlite_url, LeaderboardQuery(system=system))
        assert [row.name for row in board.rows] == ["Ann", "Bob", "Cid"], system


def test_environments_are_apart_unless_asked_overall(sqlite_url: str) -> None:
    def fill(table: Table) -> None:
        ladder(table)
        table.duel(table.environment("Other-v0"), 3, 1, 6)

    first, second = asked(sqlite_url, fill)

    assert [(board.environment, board.games) for board in (first, second)] == [
        ("Duel-v0", 36),
        ("Other-v0", 6),
    ]
    assert second.rows[0].name == "Cid"
    (overall,) = ask(sqlite_url, LeaderboardQuery(overall=True, weights="games"))
    assert (overall.environment, overall.games) == (None, 42)
    assert overall.rows[0].name == "Ann"
    (plain,) = ask(sqlite_url, LeaderboardQuery(overall=True, system="trueskill"))
    assert any("takes the games of several environments for one" in note for note in plain.notes)


def two_environments(table: Table) -> None:
    """Ann is the best in Duel-v0, of 40 games, and Bob is in Other-v0, of 8; Cid played only the
    first."""
    ann, bob, cid = three(table)
    duel, other = table.environment("Duel-v0"), table.environment("Other-v0")
    table.duel(duel, ann, bob, 14)
    table.duel(duel, bob, ann, 2)
    table.duel(duel, ann, cid, 12)
    table.duel(duel, bob, cid, 12)
    table.duel(other, bob, ann, 8)


def test_every_environment_counts_alike_unless_weights_are_given(sqlite_url: str) -> None:
    (equal,) = asked(sqlite_url, two_environments, LeaderboardQuery(overall=True))
    found = {
        name: ask(sqlite_url, LeaderboardQuery(overall=True, weights=weights))[0]
        for name, weights in {
            "games": "games",
            "same": {"Duel-v0": 3.0, "Other-v0": 3.0},
            "duel": {"Duel-v0": 1.0, "Other-v0": 0.0},
            "other": {"Duel-v0": 0.0, "Other-v0": 2.0},
        }.items()
    }
    by_name = {name: {row.name: row for row in board.rows} for name, board in found.items()} | {
        "equal": {row.name: row for row in equal.rows}
    }

    assert equal.weights == {"Duel-v0": 0.5, "Other-v0": 0.5}
    assert found["games"].weights == pytest.approx({"Duel-v0": 40 / 48, "Other-v0": 8 / 48})
    assert by_name["same"]["Ann"].rating == by_name["equal"]["Ann"].rating
    assert by_name["duel"]["Ann"].rating > by_name["duel"]["Bob"].rating
    assert by_name["other"]["Ann"].rating < by_name["other"]["Bob"].rating
    # Equal weights are the mean of the two; by games, most of it is Duel-v0.
    for name in ("Ann", "Bob", "Cid"):
        one, two = (by_name[only][name].rating for only in ("duel", "other"))
        assert by_name["equal"][name].rating == pytest.approx((one + two) / 2)
        assert by_name["games"][name].rating == pytest.approx((5 * one + two) / 6)
    # What Cid would do in Other-v0 was never seen: the more that counts, the less is known.
    assert by_name["other"]["Cid"].sigma > by_name["equal"]["Cid"].sigma
    assert by_name["equal"]["Cid"].sigma > by_name["games"]["Cid"].sigma


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": "games"}, "add --overall"),
        ({"overall": True, "weights": {"Duel-v0": 1}}, "says nothing of Other-v0"),
        ({"overall": True, "weights": {"Duel-v0": 1, "Othr-v0": 1}}, "did you mean 'Other-v0'"),
        ({"overall": True, "weights": {"Duel-v0": -1, "Other-v0": 1}}, "expected a number from 0"),
        ({"overall": True, "weights": {"Duel-v0": 0, "Other-v0": 0}}, "above 0 at least"),
        ({"overall": True, "weights": "equal", "system": "trueskill"}, "use --system probit"),
    ],
)
def test_weights_that_make_no_board_are_refused(
    sqlite_url: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        asked(sqlite_url, two_environments, LeaderboardQuery(**options))
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["", "even", "Duel-v0", "Duel-v0=x", "=1", "a=1,a=2", "a=nan"])
def test_weights_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--weights"):
        read_weights(text)


def test_weights_are_read() -> None:
    assert read_weights("games") == "games"
    assert read_weights("A-v0=2, B=C=0.5") == {"A-v0": 2.0, "B=C": 0.5}


def test_pools_that_never_met_have_a_table_each(sqlite_url: str) -> None:
    def fill(table: Table) -> None:
        ladder(table)
        table.duel(1, table.agent("Dot", model="Dot"), table.agent("Eve", model="Eve"), 5)

    first, second = asked(sqlite_url, fill)

    assert [row.name for row in first.rows] == ["Ann", "Bob", "Cid"]
    assert [row.name for row in second.rows] == ["Dot", "Eve"]
    assert (first.games, second.games) == (36, 5)
    for board in (first, second):
        assert np.mean([row.rating for row in board.rows]) == pytest.approx(25)
        assert [note for note in board.notes if "pools of agents that no game connects" in note]
        assert sum("pools" in note for note in board.notes) == 1
    assert len(ask(sqlite_url, LeaderboardQuery(overall=True))) == 2


def test_a_board_says_where_skills_do_not_add_up(sqlite_url: str) -> None:
    def circle(table: Table) -> None:
        """Each beats the next, and Cid beats Ann."""
        ann, bob, cid = three(table)
        duel = table.environment("Duel-v0")
        for better, worse in ((ann, bob), (bob, cid), (cid, ann)):
            table.duel(duel, better, worse, 18)
            table.duel(duel, worse, better, 4)

    (board,) = asked(sqlite_url, circle, LeaderboardQuery(nash=True))

    assert board.additivity is not None
    assert board.additivity.p < 0.001
    assert any("skills do not add up to these results" in note for note in board.notes)
    found = {row.name: row.equilibrium for row in board.rows}
    for nash in found.values():
        assert nash is not None
        assert nash.low <= nash.value <= nash.high <= 1e-9
        assert nash.value > -1.5
    # Another system's board is tested in the same way.
    (plain,) = ask(sqlite_url, LeaderboardQuery(system="trueskill"))
    assert plain.additivity == board.additivity
    assert [row.equilibrium for row in plain.rows] == [None, None, None]
    with pytest.raises(UsageError, match="leave out --role"):
        ask(sqlite_url, LeaderboardQuery(by="model", nash=True))


def test_a_ladder_adds_up(sqlite_url: str) -> None:
    (board,) = asked(sqlite_url, ladder)

    assert board.additivity is not None
    assert board.additivity.p > 0.05
    assert not any("add up" in note for note in board.notes)


def erring(table: Table) -> None:
    """Ann beats Bob, but half of Bob's defeats are his own silence; Cid loses to both."""
    ann, bob, cid = three(table)
    duel = table.environment("Duel-v0")
    table.duel(duel, ann, bob, 6)
    table.duel(duel, bob, ann, 6)
    for _ in range(8):
        table.play(duel, Sat(ann, 0), Sat(bob, 1, decided=True), termination="silence")
    for better in (ann, bob):
        table.duel(duel, better, cid, 6)
        table.duel(duel, cid, better, 2)


def test_a_rating_stands_beside_what_it_is_without_errors(sqlite_url: str) -> None:
    (board,) = asked(sqlite_url, erring)
    rows = {row.name: row for row in board.rows}

    assert board.by_error == 8
    assert (rows["Bob"].record.own, rows["Ann"].record.others) == (8, 8)
    assert (rows["Cid"].record.own, rows["Cid"].record.others) == (0, 0)
    assert rows["Ann"].rating > rows["Bob"].rating + 1
    clean = {name: row.without_errors for name, row in rows.items()}
    assert clean["Ann"] == pytest.approx(clean["Bob"], abs=0.2)

    (without,) = ask(sqlite_url, LeaderboardQuery(exclude_errors="decided"))
    assert (without.games, without.left_out, without.by_error) == (28, 8, 0)
    assert {row.name: row.rating for row in without.rows} == pytest.approx(clean)
    assert {row.without_errors for row in without.rows} == {None}


def test_what_errors_count_as_is_a_range_and_leaving_them_out_is_said(sqlite_url: str) -> None:
    (board,) = asked(sqlite_url, erring)
    (said,) = (note for note in board.notes if "by their result" in note)
    assert "an agent that errs when it is losing gains by it" in said
    assert {row.errors_drawn for row in board.rows} == {None}

    (both,) = ask(sqlite_url, LeaderboardQuery(errors_as="range"))
    (drawn,) = ask(sqlite_url, LeaderboardQuery(errors_as="draw"))
    assert {row.name: row.rating for row in both.rows} == {
        row.name: row.rating for row in board.rows
    }
    assert {row.name: row.errors_drawn for row in both.rows} == {
        row.name: row.rating for row in drawn.rows
    }
    # Bob lost eight games by errors of his own: half a win each is worth more to him.
    bob = {row.name: row for row in both.rows}["Bob"]
    assert bob.errors_drawn is not None
    assert bob.errors_drawn > bob.rating + 0.3
    assert {row.name: row.record.whole.draws for row in drawn.rows}["Bob"] == 8
    assert "8 games that an error decided count as draws" in drawn.notes
    with pytest.raises(UsageError, match="give one of the two"):
        LeaderboardQuery(exclude_errors="decided", errors_as="draw").check()
    with pytest.raises(UsageError, match="--errors-as range is of agents"):
        LeaderboardQuery(by="model", errors_as="range").check()


def village(table: Table) -> None:
    """Ann and Bob against Cid, who throws himself out of four games: his team-mate wins two of
    them without him, and one is decided by it."""
    ann, bob, cid = three(table)
    duel = table.environment("Village-v0", players=3)
    for place in range(8):
        out = Sat(cid, 1, "Village", eliminated_turn=7 if place < 4 else None, decided=place == 0)
        if place in (2, 3):
            out = out._replace(rank=0)
        table.play(
            duel,
            Sat(ann, 1 - out.rank, "Mafia"),
            Sat(bob, out.rank, "Village"),
            out,
            termination="invalid_action" if place == 0 else "natural",
        )


def test_games_that_an_error_touched_are_more_than_those_that_it_decided(sqlite_url: str) -> None:
    (board,) = asked(sqlite_url, village)
    assert (board.games, board.by_error, board.touched) == (8, 1, 4)
    assert {row.name: row.record.out for row in board.rows} == {"Ann": 0, "Bob": 0, "Cid": 4}
    kept = {}
    for errors in ("decided", "touched"):
        (without,) = ask(sqlite_url, LeaderboardQuery(exclude_errors=errors))
        kept[errors] = (without.games, without.left_out, without.touched)
    assert kept == {"decided": (7, 1, 3), "touched": (4, 4, 0)}


def test_an_agent_with_nothing_but_errors_has_no_rating_without_them(sqlite_url: str) -> None:
    def fill(table: Table) -> None:
        ladder(table)
        for winner in (1, 2):
            table.play(
                1,
                Sat(winner, 0),
                Sat(table.agent("Mute", model="mute"), 1, decided=True),
                termination="silence",
            )

    (board,) = asked(sqlite_url, fill)
    rows = {row.name: row for row in board.rows}

    assert rows["Mute"].without_errors is None
    rest = [row for name, row in rows.items() if name != "Mute"]
    assert sum(row.without_errors or 0 for row in rest) == pytest.approx(
        sum(row.rating for row in rest)
    )


def mafia(table: Table) -> None:
    """Ann is good in the Mafia, Bob in the village, where each has the other's help."""
    ann, bob, cid = three(table)
    rules = table.environment("Mafia-v0", 3)
    for number in range(30):
        table.mafia(rules, [ann], [bob, cid], village_won=number % 5 == 0)
        table.mafia(rules, [bob], [ann, cid], village_won=number % 5 != 0)
        table.mafia(rules, [cid], [ann, bob], village_won=number % 2 == 0)


@pytest.mark.parametrize("system", ["probit", "trueskill"])
def test_skill_in_a_role_or_a_team_is_another_order(sqlite_url: str, system: str) -> None:
    (board,) = asked(sqlite_url, mafia, LeaderboardQuery(Selection(team="Mafia"), system=system))

    assert [row.name for row in board.rows] == ["Ann", "Cid", "Bob"]
    assert {row.record.whole.games for row in board.rows} == {30}
    assert sum(row.rating for row in board.rows) == pytest.approx(75)
    (role,) = ask(sqlite_url, LeaderboardQuery(Selection(role="Doctor"), system=system))
    assert {row.name for row in role.rows} == {"Ann", "Bob"}
    assert "1 agent never had the role Doctor" in role.notes


@pytest.mark.parametrize(
    ("selection", "options", "said"),
    [
        (Selection(role="Docter"), {}, "unknown role 'Docter'; did you mean 'Doctor'?"),
        (Selection(team="Vilage"), {}, "unknown team 'Vilage'; did you mean 'Village'?"),
        (Selection(role=["Doctor", "Villager"]), {}, "one role at a time, found 'Doctor' and 'V"),
        (Selection(environment="Mafia"), {}, "did you mean 'Mafia-v0'? `arena tournaments list`"),
        (Selection(tournament="cup"), {}, "unknown tournament 'cup': no tournament is on record"),
        (Selection(agent="Ann"), {}, "a leaderboard cannot be chosen by agent, but by tournament"),
        (Selection(), {"system": "probt"}, "did you mean 'probit'?"),
        (Selection(role="Doctor", team="Village"), {}, "a role has its team already"),
        (Selection(role="Doctor"), {"overall": True}, "a role counts within its environment"),
        (Selection(environment="Mafia-v0"), {"overall": True}, "leave out --environment"),
        (Selection(role="Doctor"), {"by": "model"}, "leave out --role"),
        (Selection(), {"by": "model", "overall": True}, "leave out --overall"),
        (Selection(), {"by": "model", "system": "trueskill"}, "leave out --system"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_asked_is_told(
    sqlite_url: str, selection: Selection, options: dict[str, Any], said: str
) -> None:
    with pytest.raises((UsageError, BadSelection)) as error:
        asked(sqlite_url, mafia, LeaderboardQuery(selection, **options))
    assert said in str(error.value)


def test_a_role_in_an_environment_without_roles_is_told(sqlite_url: str) -> None:
    with pytest.raises(UsageError, match=r"Duel-v0: no roles are known.*leave out --role"):
        asked(sqlite_url, ladder, LeaderboardQuery(Selection(role="Doctor")))


def test_a_date_chooses_games(sqlite_url: str) -> None:
    late = Selection(since="2026-03-01T14:00+00:00")
    (board,) = asked(sqlite_url, ladder, LeaderboardQuery(late))
    early = Selection(until="2026-03-01T14:00+00:00")
    (before,) = ask(sqlite_url, LeaderboardQuery(early))

    assert (board.games, before.games) == (34, 2)
    assert ask(sqlite_url, LeaderboardQuery(Selection(since="2999-01-01"))) == []


def one_agent(table: Table) -> None:
    ann = table.agent("Ann")
    table.duel(table.environment("Duel-v0"), ann, ann, 3)


def only_wins(table: Table) -> None:
    ann, bob, _ = three(table)
    table.duel(table.environment("Duel-v0"), ann, bob, 20)


def only_draws(table: Table) -> None:
    ann, bob, _ = three(table)
    duel = table.environment("Duel-v0")
    for _ in range(10):
        table.play(duel, Sat(ann, 0), Sat(bob, 0))


@pytest.mark.parametrize("system", ["probit", "trueskill"])
@pytest.mark.parametrize("fill", [one_agent, only_wins, only_draws])
def test_games_that_say_little_have_wide_intervals(
    sqlite_url: str, fill: Fill, system: str
) -> None:
    (board,) = asked(sqlite_url, fill, LeaderboardQuery(system=system))

    assert np.isfinite([[row.rating, row.low, row.high] for row in board.rows]).all()
    assert sum(row.rating for row in board.rows) == pytest.approx(25 * len(board.rows))
    if fill is one_agent:
        assert "Ann has met no other agent here: every agent starts at 25" in board.notes
    elif fill is only_wins:
        assert [row.name for row in board.rows] == ["Ann", "Bob"]
    else:
        assert board.rows[0].rating == pytest.approx(25, abs=0.5)


def test_games_that_wait_for_another_are_counted_and_said(sqlite_url: str) -> None:
    def waiting(table: Table) -> None:
        ann, bob, _ = three(table)
        duel = table.environment("Duel-v0")
        cup = table.tournament("cup", duel)
        for _ in range(3):
            table.play(duel, Sat(ann, 0), Sat(bob, 1), tournament=cup)
        latest = table.session.get(Game, table.play(duel, Sat(ann, 0), Sat(bob, 1), tournament=cup))
        assert latest is not None
        latest.fold_index = None

    (board,) = asked(sqlite_url, waiting)

    assert board.games == 3
    assert any("1 more games are finished and wait" in note for note in board.notes)


def test_who_sits_first_is_not_taken_for_the_better_player(sqlite_url: str) -> None:
    """Three equal players, the first place wins two games of three, and Ann has it most often."""

    def fill(table: Table) -> None:
        agents = three(table)
        rules = table.environment("Race-v0", players=3)
        for first, games in zip(agents, (60, 24, 12), strict=True):
            others = [agent for agent in agents if agent != first]
            for game in range(games):
                seats = [first, *(others if game // 6 % 2 else reversed(others))]
                winner = (0, 0, 0, 0, 1, 2)[game % 6]
                table.play(rules, *(Sat(who, int(at != winner)) for at, who in enumerate(seats)))

    (board,) = asked(sqlite_url, fill)
    with get_session(sqlite_url) as session:
        columns = rating_columns(played_games(session))
    blind = Probit().fit(replace(columns, roles=(), role_names=())).contrasts([1, 2, 3])[0]

    spread = max(row.rating for row in board.rows) - min(row.rating for row in board.rows)
    assert spread < np.ptp(blind) / 3
    live = schedule.played([(agent, agent - 1, None, None, 0) for agent in (1, 2, 3)])
    assert [columns.role_names[role] for role in columns.roles[:3]] == [*live.roles]


@pytest.mark.slow
def test_a_game_that_could_not_come_out_otherwise_counts_once_everywhere(sqlite_url: str) -> None:
    """Twelve games of two programs under four names: the board, the matrix, the plan and the
    comparison are those of the twelve, and say how many were left out."""

    def found(names: int) -> tuple[Board, Meeting, Outlook, Comparison]:
        with get_session(sqlite_url) as session:
            record = Answered(session)
            bots = [record.bot, record.rival]
            for seed in range(12 * names):
                seats = bots if seed % 2 else bots[::-1]
                winner = seats.index(bots[0] if seed % 12 % 4 else bots[1])
                record.play(seats, [[SCRIPTED], [SCRIPTED]], seed=seed % 12 // 2, won=winner)
        with get_session(sqlite_url) as session:
            (board,), (matrix,) = (of(session, LeaderboardQuery()) for of in (boards, meetings))
        compared = played(sqlite_url, Question("Bot", "Rival", "TicTacToe-v0"))
        return (
            board,
            matrix,
            plan_two(sqlite_url, "Bot", "Rival", PlanScope("TicTacToe-v0")),
            compared,
        )

    once = found(1)
    four = found(3)

    assert (four[0].games, four[0].repeats, four[1].games, four[1].repeats) == (12, 36, 12, 36)
    assert [row.rating for row in four[0].rows] == [row.rating for row in once[0].rows]
    assert four[1].matrix == once[1].matrix
    assert (four[2].games, four[2].known) == (12, once[2].known)
    assert four[3].verdict == once[3].verdict
    for notes in (four[0].notes, four[2].notes, four[3].notes):
        assert any(note.startswith("36 repeats are left out") for note in notes)


def test_an_anchor_stands_at_25_whoever_joins(sqlite_url: str) -> None:
    def weaker(table: Table) -> None:
        ladder(table)
        table.duel(1, 3, table.agent("Dot", model="Dot"), 12)

    (board,) = asked(sqlite_url, weaker, LeaderboardQuery(anchor="Bob"))
    (mean,) = ask(sqlite_url, LeaderboardQuery())
    anchored, free = ({row.name: row for row in found.rows} for found in (board, mean))

    assert (board.anchor, mean.anchor) == ("Bob", None)
    bob = anchored["Bob"]
    assert (bob.rating, bob.sigma, bob.low, bob.high) == pytest.approx((25, 0, 25, 25))
    for name, row in anchored.items():
        assert row.rating - 25 == pytest.approx(free[name].rating - free["Bob"].rating)
        assert (row.group, row.best_rank) == (free[name].group, free[name].best_rank)
    assert sum(row.rating for row in mean.rows) == pytest.approx(100)

    with pytest.raises(BadSelection, match="did you mean 'Bob'"):
        ask(sqlite_url, LeaderboardQuery(anchor="Bop"))
    with get_session(sqlite_url) as session:
        Table(session).agent("Eve", model="Eve")
    with pytest.raises(UsageError, match="--anchor Eve: it is in none of these games"):
        ask(sqlite_url, LeaderboardQuery(anchor="Eve"))
    with pytest.raises(UsageError, match="--anchor is an agent"):
        ask(sqlite_url, LeaderboardQuery(anchor="Bob", by="model"))


def test_ratings_without_errors_keep_the_anchor(sqlite_url: str) -> None:
    (board,) = asked(sqlite_url, erring, LeaderboardQuery(anchor="Cid"))

    (cid,) = (row for row in board.rows if row.name == "Cid")
    assert (cid.rating, cid.without_errors) == pytest.approx((25, 25))


def test_beyond_a_dozen_agents_ranks_say_what_letters_cannot(sqlite_url: str) -> None:
    """Each beats everybody below; those next to each other are hardly told apart."""

    def fill(table: Table) -> None:
        duel = table.environment("Duel-v0")
        agents = [table.agent(f"a{at:02}", model=f"a{at}") for at in range(13)]
        for place, better in enumerate(agents):
            for worse in agents[place + 1 :]:
                table.duel(duel, better, worse, 2)

    (board,) = asked(sqlite_url, fill)

    assert {row.group for row in board.rows} == {""}
    for row in board.rows:
        assert row.best_rank <= row.rank <= row.worst_rank
    assert board.rows[0].worst_rank < 13
    assert board.rows[-1].best_rank > 1
    middle = board.rows[6]
    assert 1 < middle.best_rank < middle.worst_rank < 13


def test_what_a_system_notes_names_agents(sqlite_url: str) -> None:
    (board,) = asked(sqlite_url, only_wins, LeaderboardQuery(system="bradley-terry"))

    assert any(note.startswith("Ann finished first in every game") for note in board.notes)
    assert not any("{agent" in note for note in board.notes)


def test_no_games_make_no_board(sqlite_url: str) -> None:
    assert ask(sqlite_url, LeaderboardQuery()) == []
    assert ask(sqlite_url, LeaderboardQuery(overall=True)) == []
    assert asked(sqlite_url, lambda table: void(table)) == []


def void(table: Table) -> None:
    ann, bob, _ = three(table)
    table.duel(table.environment("Duel-v0"), ann, bob, 2, status="void")


def test_games_that_came_to_nothing_are_counted_beside(sqlite_url: str) -> None:
    def fill(table: Table) -> None:
        ladder(table)
        table.duel(1, 1, 2, 2, status="void")

    (board,) = asked(sqlite_url, fill)

    assert {row.name: row.void_games for row in board.rows} == {"Ann": 2, "Bob": 2, "Cid": 0}
    (said,) = (note for note in board.notes if "void" in note)
    assert said.startswith(
        "void games, every attempt counted: 2 (unknown 2x), of Ann 2 (0 in its own turn), Bob 2 (0"
    )
    with get_session(sqlite_url) as session:
        (matrix,) = meetings(session, LeaderboardQuery())
    assert matrix.notes == (said,)


def test_games_chosen_by_how_they_ended_are_chosen_by_their_result(sqlite_url: str) -> None:
    asked(sqlite_url, erring)
    query = LeaderboardQuery(Selection(termination="natural"))
    (board,) = ask(sqlite_url, query)
    with get_session(sqlite_url) as session:
        (matrix,) = meetings(session, query)
        (without,) = meetings(session, LeaderboardQuery(exclude_errors="decided"))

    assert any("depends on who was winning" in note for note in board.notes)
    assert any("depends on who was winning" in note for note in matrix.notes)
    assert any("by their result" in note for note in without.notes)


def test_the_games_of_all_environments_are_read_in_one_pass(sqlite_url: str) -> None:
    seen: list[str] = []
    with get_session(sqlite_url) as session:
        ladder(table := Table(session))
        for number in range(5):
            table.duel(table.environment(f"Other-v{number}"), 1, 2, 2)
        event.listen(
            session.connection(), "before_cursor_execute", lambda *said: seen.append(said[2])
        )
        assert len(boards(session, LeaderboardQuery())) == 6

    assert sum("ORDER BY games.fold_index" in text for text in seen) == 1


def test_margins_are_read_where_they_are_asked_for(sqlite_url: str) -> None:
    def poker(table: Table) -> None:
        """Ann and Bob win as often against Cid; Ann wins more chips."""
        ann, bob, cid = three(table)
        poker = table.environment("Poker-v0")
        for winner, chips in ((ann, 50.0), (bob, 5.0)):
            for _ in range(8):
                table.play(poker, Sat(winner, 0, reward=chips), Sat(cid, 1, reward=-chips))
            for _ in range(4):
                table.play(poker, Sat(cid, 0, reward=20.0), Sat(winner, 1, reward=-20.0))

    (plain,) = asked(sqlite_url, poker)
    (graded,) = ask(sqlite_url, LeaderboardQuery(system="probit-graded"))

    ann, bob = ({row.name: row.rating for row in board.rows}["Ann"] for board in (plain, graded))
    assert bob > ann + 0.1
    assert any("the play that makes margins" in note for note in graded.notes)
    assert not any("margin" in note for note in plain.notes)


def test_a_board_says_where_skills_changed(sqlite_url: str) -> None:
    def changing(table: Table) -> None:
        """Ann loses to Bob and Cid at first, and beats them later."""
        ann, bob, cid = three(table)
        duel = table.environment("Duel-v0")
        for ahead in (False, True):
            for other in (bob, cid):
                table.duel(duel, *((ann, other) if ahead else (other, ann)), 16)

    (board,) = asked(sqlite_url, changing)
    (newest,) = ask(sqlite_url, LeaderboardQuery(system="probit_newest"))

    assert board.drift is not None
    assert board.drift.p < 0.001
    assert any("are of the average over them; --system probit-newest" in n for n in board.notes)
    assert newest.system == "probit-newest"
    assert newest.drift == board.drift
    assert not any("of the average" in note for note in newest.notes)
    ann, now = ({row.name: row.rating for row in shown.rows}["Ann"] for shown in (board, newest))
    assert now > ann + 2


def test_a_board_says_under_which_names_a_model_answered(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        games = Answered(session)
        for seed, name in enumerate(["gpt-1", "gpt-1", "gpt-2"]):
            games.play([games.bot, games.other], [[SCRIPTED], [name, name]], seed=seed)
        session.commit()

    (board,) = ask(sqlite_url, LeaderboardQuery())

    assert (
        "Gpt's games were answered by gpt-1 (in 2), then by gpt-2 (in 1): a rating is of the "
        "average over them"
    ) in board.notes


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("aabb", "by fingerprint a, then by fingerprint b: what answers under"),
        ("abab", None),
        ("abacdcd", "by fingerprint a or fingerprint b, then by fingerprint c or fingerprint d:"),
        ("aaaa", None),
        ("abcdef", None),
        ("a--bb", "by fingerprint a, then by fingerprint b: what answers under"),
        ("a!bb", "by fingerprint a, then by fingerprint b: what answers under"),
        ("----", None),
    ],
)
def test_a_board_says_where_what_answers_changed_for_good(
    sqlite_url: str, told: str, said: str | None
) -> None:
    """A fingerprint for each game; - tells none, and what is stored of ! is damaged."""
    with get_session(sqlite_url) as session:
        games = Answered(session)
        for seed, mark in enumerate(told):
            game = games.play([games.bot, games.other], [[SCRIPTED], [DRAWN, DRAWN]], seed=seed)
            for index, name in enumerate([mark, "of a later call"]):
                key = call_key(turn_key(game, 1, 1), index)
                row = session.get(LLMCall, key)
                assert row is not None
                row.response_received_at = NOON
                response = {"model": "m"} | ({} if name == "-" else {"system_fingerprint": name})
                body = Codec().pack(answer_text("go", response))
                session.add(
                    CallPayload(
                        llm_call_id=key, messages=b"", response=b"?" if name == "!" else body
                    )
                )
        session.commit()

    (board,) = ask(sqlite_url, LeaderboardQuery())

    notes = [note for note in board.notes if "fingerprint" in note]
    assert bool(notes) == (said is not None)
    assert said is None or notes[0].startswith(f"Gpt's games were answered {said}")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"name": "random"}, None),
        ({"name": "of-another-package"}, None),
        ({"name": "swiss"}, "12 of these games were paired by swiss; in simulations, ratings are"),
        ({"name": "informative", "version": 2}, "up to 0.1 less exact than by random pairings"),
        ({"name": "informative", "version": 2, "goal": "top 3"}, "up to 0.3 less exact than by"),
        ({"name": "informative"}, "by its first rule a pool in which skills spread by less than"),
        ("a string of somebody's", None),
    ],
)
def test_a_board_says_what_its_pairings_are_worse_for(
    sqlite_url: str, rule: object, said: str | None
) -> None:
    def paired(table: Table) -> None:
        ann, bob, _ = three(table)
        duel = table.environment("Duel-v0")
        cup = table.tournament("cup", duel)
        found = table.repo.get_tournament_by_id(cup)
        assert found is not None
        found.config = {"matchmaker": rule}
        table.duel(duel, ann, bob, 12, tournament=cup)
        table.duel(duel, bob, ann, 3)

    (board,) = asked(sqlite_url, paired)

    notes = [note for note in board.notes if "paired" in note]
    assert bool(notes) == (said is not None)
    assert said is None or said in notes[0]
