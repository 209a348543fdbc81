"""Two agents are compared by the games that a test needs, or by those on record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib.metadata import version
from math import nan
from pathlib import Path

import pytest
from sqlalchemy import text

from arena.compare import Question, answer, configure, played
from arena.core import UsageError
from arena.orchestrator import Summary, run
from arena.stats.sequential import Decision
from db import Repository, get_session
from db.errors import BadSelection
from tests.on_record import MAFIA, catalogue, record

QUICK = Question("Sharp", "Naive", MAFIA, h0=0.35, h1=0.85)


@pytest.fixture
def url(sqlite_url: str) -> str:
    catalogue(sqlite_url)
    return sqlite_url


def play(url: str, question: Question, **how: int) -> Summary:
    return asyncio.run(run(configure(url, question), url=url, **how))


def results(url: str) -> list[tuple[object, ...]]:
    query = (
        "SELECT g.schedule_index, g.block, g.seed, g.winning_team, p.agent_id FROM games g "
        "JOIN game_players p ON p.game_id = g.id ORDER BY 1, p.player_index"
    )
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


@pytest.mark.slow
def test_exactly_the_games_needed_are_played_whatever_runs_at_once(
    url: str, tmp_path: Path, sqlite_template: Path
) -> None:
    summary = play(url, QUICK, concurrency=1)
    found = answer(url, configure(url, QUICK))

    assert found.decided
    assert found.sentence == (
        "Sharp is better than Naive or nearly even: Sharp scores more than 35 %."
    )
    assert found.verdict is not None
    assert found.verdict.decision is Decision.ACCEPT_H1
    assert found.games == found.settled == summary.games_completed < 40
    assert (found.seating, found.dollars) == ("clones", 0.0)
    assert found.tournament == (
        "compare Sharp and Naive in SecretMafia-v0 (6 players, clones, gsprt 0.35 0.85)"
    )

    other = f"sqlite:///{tmp_path / 'other.db'}"
    (tmp_path / "other.db").write_bytes(sqlite_template.read_bytes())
    catalogue(other)
    play(other, QUICK, concurrency=30)
    assert results(other) == results(url)
    assert answer(other, configure(other, QUICK)) == found


@pytest.mark.slow
def test_the_same_question_goes_on_where_it_stopped(url: str) -> None:
    first = play(url, QUICK, games=3)
    so_far = answer(url, configure(url, QUICK))
    # The third game is half a block: it says nothing alone.
    assert (first.games_completed, so_far.settled, so_far.games) == (3, 3, 2)
    assert not so_far.decided
    assert so_far.sentence == "Undecided after 2 games: neither is shown."

    play(url, QUICK)
    done = answer(url, configure(url, QUICK))
    assert done.decided
    assert done.games == done.settled
    assert play(url, QUICK).games_completed == 0
    # Asked about the same games again, any test may be.
    again = played(url, replace(QUICK, test="gsprt"))
    assert (again.verdict, again.seating) == (done.verdict, "clones")


@pytest.mark.slow
def test_a_fixed_size_is_not_looked_at_before_its_end(url: str) -> None:
    question = Question("Sharp", "Naive", MAFIA, test="fixed", games=8)
    play(url, question, games=4)
    peeked = answer(url, configure(url, question))
    assert peeked.verdict is None
    assert not peeked.decided
    assert peeked.sentence == "Not to be said yet: 4 of 8 games are played."
    assert "looks once" in peeked.notes[0]

    play(url, question)
    looked = answer(url, configure(url, question))
    assert looked.verdict is not None
    assert looked.decided
    assert (looked.games, looked.settled) == (8, 8)


def test_the_seating_follows_from_the_environment_and_the_field(url: str) -> None:
    two = configure(url, Question("Sharp", "Naive", "TicTacToe-v0"))
    assert two.matchmaker.options["seating"] == "mirrored"
    assert (two.environment.players, two.environment.turn_limit) == (2, 20)
    assert two.name == "compare Sharp and Naive in TicTacToe-v0 (mirrored, gsprt 0.5 0.55)"

    field = configure(url, Question("Sharp", "Naive", MAFIA, field=("Random",)))
    assert field.matchmaker.options["seating"] == "opposite"
    assert [agent.name for agent in field.agents] == ["Sharp", "Naive", "Random"]
    assert field.environment.options == {"discussion_rounds": 1}

    new = configure(url, Question("1", "2", "LiarsDice-v0", players=3, field=("Random",)))
    assert new.matchmaker.options["seating"] == "mirrored"


def test_another_question_is_another_tournament(url: str) -> None:
    plain = Question("Sharp", "Naive", MAFIA)
    asked = [
        plain,
        replace(plain, alpha=0.01),
        replace(plain, seed=4),
        replace(plain, test="evalue"),
        replace(plain, test="fixed", games=20),
        replace(plain, field=("Random",)),
    ]
    names = [configure(url, question).name for question in asked]
    assert len(set(names)) == len(names)
    # How many games a sequential test may take for now is no part of the question.
    assert configure(url, replace(plain, games=40)) == configure(url, plain)
    assert configure(url, replace(plain, name="mine")).name == "mine"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Question("Sharp", "Sharp", MAFIA), "compared with itself"),
        (Question("Sharp", "1", MAFIA), "compared with itself"),
        (Question("Shrp", "Naive", MAFIA), "unknown agent 'Shrp'; did you mean 'Sharp'"),
        (Question("Sharp", "Naive"), "(SecretMafia-v0, TicTacToe-v0|which environment)"),
        (Question("Sharp", "Naive", "SecretMafa-v0"), "did you mean 'SecretMafia-v0'"),
        (Question("Sharp", "Naive", "TicTacToe-v0", players=3), "played by 2 to 2.*players 3"),
        (Question("Sharp", "Naive", "LiarsDice-v0"), "by 2 to 15: say --players"),
        (Question("Sharp", "Naive", "TicTacToe-v0", seating="clones"), "needs teams"),
        (Question("Sharp", "Naive", MAFIA, seating="clone"), "did you mean `clones`"),
        (Question("Sharp", "Naive", MAFIA, seating="opposite"), "4 more seats.*--field AGENT"),
        (
            Question("Sharp", "Naive", MAFIA, seating="clones", field=("Random",)),
            "no seat of SecretMafia-v0 is left for a --field",
        ),
        (Question("Sharp", "Naive", MAFIA, field=("Sharp",)), "in the comparison already"),
        (Question("Sharp", "Naive", MAFIA, h0=0.6), "h0 is 0.6 and h1 is 0.55"),
        (Question("Sharp", "Naive", MAFIA, alpha=0.7), "alpha is 0.7"),
        (Question("Sharp", "Naive", MAFIA, test="evalue", h1=0.6), "--h1 belongs to --test gsprt"),
        (Question("Sharp", "Naive", MAFIA, test="fixed"), "say --games N"),
        (Question("Sharp", "Naive", MAFIA, games=7), "say 6 or 8"),
    ],
)
def test_what_cannot_be_asked_is_said_and_nothing_is_written(
    url: str, question: Question, said: str
) -> None:
    with pytest.raises((UsageError, BadSelection), match=said):
        asyncio.run(run(configure(url, question), url=url))
    with get_session(url) as session:
        assert Repository(session).get_tournaments() == []


def duel(seed: int, first: int, second: int, winner: int) -> tuple[int, list[tuple[object, ...]]]:
    return seed, [(agent, None, None, int(agent != winner)) for agent in (first, second)]


def test_games_on_record_are_blocks_where_the_two_swapped(url: str) -> None:
    record(
        url,
        "TicTacToe-v0",
        [
            duel(1, 1, 2, winner=1),
            duel(2, 1, 2, winner=1),
            duel(2, 2, 1, winner=1),
            duel(1, 2, 1, winner=2),
            duel(3, 1, 2, winner=1),
            duel(3, 1, 2, winner=1),
        ],
    )
    found = played(url, Question("Sharp", "Naive", "TicTacToe-v0"))

    # Seed 1 gave each a win and was scheduled first, seed 2 gave Sharp both; of seed 3 nothing can
    # be made, because nobody changed seats.
    assert found.verdict is not None
    assert (found.settled, found.games, found.verdict.estimate) == (6, 4, 0.75)
    assert (found.seating, found.options.test) == ("mirrored", "evalue")
    assert found.notes == ("2 games of theirs have no partner and are left out",)
    assert not found.decided


def test_a_seed_counts_once_however_often_it_was_played(url: str) -> None:
    """Its luck is the same every time: more pairs on it are no further evidence."""
    pair = [duel(1, 1, 2, winner=1), duel(1, 2, 1, winner=1)]
    other = [duel(2, 1, 2, winner=2), duel(2, 2, 1, winner=2)]
    record(url, "TicTacToe-v0", [*pair, *pair, *other, *pair])
    found = played(url, Question("Sharp", "Naive", "TicTacToe-v0"))

    assert found.verdict is not None
    assert (found.verdict.blocks, found.verdict.estimate) == (2, 0.5)
    assert found.notes == (
        "4 further games on seeds that are counted already are left out: they share their luck",
    )


def test_games_that_wait_to_be_rated_are_not_looked_at(url: str) -> None:
    pair = [duel(1, 1, 2, winner=1), duel(1, 2, 1, winner=1)]
    record(url, "TicTacToe-v0", [*pair, duel(2, 1, 2, winner=1), duel(2, 2, 1, winner=1)])
    with get_session(url) as session:
        session.connection().execute(text("UPDATE games SET fold_index = NULL WHERE seed = 2"))

    assert played(url, Question("Sharp", "Naive", "TicTacToe-v0")).settled == 2


def test_games_by_other_rules_of_the_name_do_not_count_and_that_is_said(url: str) -> None:
    record(url, "TicTacToe-v0", [duel(1, 1, 2, winner=1), duel(1, 2, 1, winner=1)])
    with get_session(url) as session:
        now = {"package": "textarena", "version": version("textarena")}
        Repository(session).get_or_create_environment("TicTacToe-v0", 2, {"turn_limit": 9}, **now)

    with pytest.raises(UsageError, match="Sharp has no game of TicTacToe-v0"):
        played(url, Question("Sharp", "Naive", "TicTacToe-v0"))

    with get_session(url) as session:
        session.connection().execute(text("UPDATE games SET environment_id = 3"))
    (note,) = played(url, Question("Sharp", "Naive", "TicTacToe-v0")).notes
    assert note.startswith("TicTacToe-v0 is on record by 1 other rules too")


def test_a_fixed_size_test_has_no_second_look(url: str) -> None:
    stated = Question("Sharp", "Naive", MAFIA, test="fixed", games=2)
    play(url, stated)

    assert configure(url, stated).games == 2
    for more in (replace(stated, games=4), replace(stated, games=4, name="again")):
        with pytest.raises(UsageError, match=r"looks once.* has stated 2: look at that one"):
            configure(url, more)
    with pytest.raises(UsageError, match=r"looks once.* has stated 2"):
        configure(url, replace(stated, a="Naive", b="Sharp", games=4))


def test_comparisons_by_other_names_are_other_samples(url: str) -> None:
    one, other = (configure(url, replace(QUICK, name=name)) for name in ("one", "other"))

    assert one.seed != other.seed
    assert configure(url, replace(QUICK, name="one")).seed == one.seed
    with pytest.raises(UsageError, match="at most 10,000 games"):
        configure(url, replace(QUICK, games=20_000))


def test_a_comparison_goes_on_by_the_rules_it_was_begun_with(url: str) -> None:
    play(url, QUICK, games=2)
    with get_session(url) as session:
        now = {"package": "textarena", "version": version("textarena")}
        Repository(session).get_or_create_environment(MAFIA, 6, {"turn_limit": 50}, **now)

    assert play(url, QUICK, games=2).games_completed == 2


def test_two_on_one_team_say_nothing_and_roles_are_what_is_swapped(url: str) -> None:
    def table(seed: int, mafia: int, village: int, winner: str) -> tuple[int, list[tuple]]:  # type: ignore[type-arg]
        seats = [
            (mafia, "Mafia", "Mafia"),
            (3, "Doctor", "Village"),
            (village, "Villager", "Village"),
        ]
        return seed, [(*seat, int(seat[2] != winner)) for seat in seats]

    together = [
        (1, "Villager", "Village", 0),
        (2, "Doctor", "Village", 0),
        (3, "Mafia", "Mafia", 1),
    ]
    record(
        url,
        MAFIA,
        [
            table(5, 1, 2, "Mafia"),
            (5, together),
            table(5, 2, 1, "Village"),
            table(6, 1, 2, "Mafia"),
        ],
    )
    found = played(url, Question("Sharp", "Naive", MAFIA))

    assert (found.seating, found.games) == ("opposite", 2)
    assert found.verdict is not None
    assert found.verdict.estimate == 1.0
    assert any("1 games have them on one team" in note for note in found.notes)
    with pytest.raises(UsageError, match="with --seating clones are a pair"):
        played(url, Question("Sharp", "Naive", MAFIA, seating="clones"))


def test_single_games_of_one_seat_are_refused_with_the_reason(url: str) -> None:
    """Sharp always sat first: where the first seat wins more often, that alone would show it."""
    record(url, "TicTacToe-v0", [duel(seed, 1, 2, winner=1) for seed in range(40)])

    for question in (
        Question("Sharp", "Naive", "TicTacToe-v0"),
        Question("Sharp", "Naive", "TicTacToe-v0", test="gsprt"),
    ):
        with pytest.raises(UsageError, match=r"one part in all of them \(player 0 in 40\)"):
            played(url, question)
    with pytest.raises(UsageError, match="may look once, at a number of games stated before"):
        played(url, Question("Sharp", "Naive", "TicTacToe-v0", test="fixed"))


def test_single_games_of_either_seat_are_pairs_over_two_seeds(url: str) -> None:
    # Nobody but the first player ever wins: Sharp has nearly all first seats, and every win.
    first = [duel(seed, 1, 2, winner=1) for seed in range(30)]
    second = [duel(100 + seed, 2, 1, winner=2) for seed in range(5)]
    record(url, "TicTacToe-v0", [*first, *second])

    found = played(url, Question("Sharp", "Naive", "TicTacToe-v0"))
    assert (found.seating, found.games, found.decided) == ("matched", 10, False)
    assert found.verdict is not None
    assert found.verdict.estimate == 0.5
    assert "25 games of theirs have no partner and are left out" in found.notes[0]


def test_where_every_game_has_a_partner_none_is_said_to_be_left_out(url: str) -> None:
    first = [duel(seed, 1, 2, winner=1) for seed in range(4)]
    second = [duel(100 + seed, 2, 1, winner=2) for seed in range(4)]
    record(url, "TicTacToe-v0", [*first, *second])

    (note,) = played(url, Question("Sharp", "Naive", "TicTacToe-v0")).notes
    assert note.endswith("and a seed's luck does not")


def test_single_games_with_other_people_at_the_table_are_no_pair(url: str) -> None:
    def table(seed: int, mafia: int, village: int, other: int) -> tuple[int, list[tuple]]:  # type: ignore[type-arg]
        return seed, [(mafia, "M", "M", 0), (village, "V", "V", 1), (other, "D", "V", 1)]

    record(url, MAFIA, [table(1, 1, 2, 3), table(2, 2, 1, 1)])
    with pytest.raises(UsageError, match="never with the same others at the table"):
        played(url, Question("Sharp", "Naive", MAFIA))

    record(url, MAFIA, [table(3, 2, 1, 3)])
    assert played(url, Question("Sharp", "Naive", MAFIA)).games == 2


def test_rewards_that_are_no_numbers_are_left_out_and_said(database_url: str) -> None:
    catalogue(database_url)
    bad = (9, [(1, None, None, 0, nan), (2, None, None, 1, 1.0)])
    unranked = (10, [(1, None, None, None), (2, None, None, None)])
    record(
        database_url,
        "TicTacToe-v0",
        [duel(9, 2, 1, winner=1), bad, duel(8, 1, 2, winner=2), duel(8, 2, 1, winner=2), unranked],
    )
    found = played(database_url, Question("Sharp", "Naive", "TicTacToe-v0"))

    assert found.verdict is not None
    assert (found.games, found.verdict.estimate) == (2, 0.0)
    assert any("2 games are left out: a rank or a reward is missing" in n for n in found.notes)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Question("Sharp", "Random", "TicTacToe-v0"), "Random has no game of TicTacToe-v0"),
        (Question("Sharp", "Naive", "Nim-v0"), "no game of Nim-v0 is on record"),
        (Question("Sharp", "Naive", "TicTacToe-v0", games=4), "--games are for games to be played"),
        (Question("Sharp", "Naive", "TicTacToe-v0", seating="clone"), "did you mean `clones`"),
    ],
)
def test_agents_that_never_met_are_not_compared(url: str, question: Question, said: str) -> None:
    record(url, "TicTacToe-v0", [duel(1, 1, 2, winner=1)])

    with pytest.raises(UsageError, match=said):
        played(url, question)
