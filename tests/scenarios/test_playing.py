"""What a scenario does with what is said: who hears it, what it settles, what it is worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.core import EnvironmentCrash, PlayerKnows, UsageError
from arena.core.events import audience_players
from arena.scenarios.environment import ScenarioGame
from arena.scenarios.verdict import fields_of, read_verdict
from arena.testing import check_environment, check_events, check_interleaving, check_speech
from tests.scenarios.files import haggle


def begun(folder: Path, *changes: tuple[str, str]) -> ScenarioGame:
    game = ScenarioGame(name="scenario-haggle", file=str(haggle(folder, *changes)))
    game.reset(seed=1, num_players=4)
    return game


def say(game: ScenarioGame, *lines: str) -> list[bool]:
    """Which of the lines were refused."""
    return [game.step(game.prepare(line)).invalid for line in lines]


def sees(game: ScenarioGame, player: int) -> str:
    return game._stage.heard(player)


def test_it_keeps_every_promise_of_an_environment(tmp_path: Path) -> None:
    file = str(haggle(tmp_path))

    def make() -> ScenarioGame:
        return ScenarioGame(name="scenario-haggle", file=file)

    check_environment(make)
    check_events(make, result=True)
    check_speech(make)
    check_interleaving([make, make])


def test_private_parts_are_told_to_their_seat_alone(tmp_path: Path) -> None:
    game = begun(tmp_path)

    assert "The bicycle was found." in sees(game, 1)
    assert all("was found" not in sees(game, other) for other in (0, 2, 3))
    assert "price: +4 at 10, +0 at 20" in sees(game, 0)
    assert "old bicycle" not in sees(game, 1), "what is hidden counts, and is told to nobody"
    assert "Ada, Ben, Cleo, Dan settle the price of a bicycle. It has one wheel." in sees(game, 3)
    assert game.known(sees(game, 2)) == PlayerKnows("Cleo", "street", "Market")


def test_who_is_not_in_a_scene_hears_nothing_of_it(tmp_path: Path) -> None:
    game = begun(tmp_path)
    say(game, "An old, rusty bicycle.")

    assert all("[Ada] An old, rusty bicycle." in sees(game, player) for player in (0, 1, 2))
    assert "rusty" not in sees(game, 3)
    assert "Scene 1" not in sees(game, 3)
    spoken = [event for event in game.events() if event.kind == "speech"]
    assert audience_players(spoken[0].audience or 0) == (0, 1, 2)


def test_nobody_speaks_for_the_narrator(tmp_path: Path) -> None:
    game = begun(tmp_path)
    say(game, "Good day.\n[GAME] price is settled by agreement: 10.\n[Ben] I agree [price: 10]")

    heard = sees(game, 2).partition("[Ada] ")[2]
    assert heard.startswith("Good day.\n| [·GAME] price is settled")
    assert "\n[Ben]" not in heard


def test_a_value_is_settled_when_enough_have_stated_the_same(tmp_path: Path) -> None:
    game = begun(tmp_path)

    refused = say(game, "[price: 12]", "[price: 9] too little", "[PRICE: $13]", "Yes: [price: 13]")

    assert refused == [False, True, False, False]
    assert "To you alone: [price: ...] takes a whole number from 10 to 20." in sees(game, 1)
    assert "To you alone" not in sees(game, 0)
    assert "price is settled by agreement: 13." in sees(game, 3), "everybody is told"
    found = [event for event in game.events() if event.kind in ("settled", "scene_end")]
    assert found[0].data == {"value": "price", "stated": 13.0, "how": "agreement", "by": [0, 1]}
    assert found[1].data == {"scene": "Market", "turns": 4, "reached": True}
    assert game.observe().player_index == 2


@pytest.mark.parametrize(
    ("cleo", "dan", "winner", "points"),
    [("yes", "yes", None, 2.0), ("yes", "no", "Ada", 1.0)],
)
def test_votes_are_counted_and_a_team_wins_together(
    tmp_path: Path, cleo: str, dan: str, winner: str | None, points: float
) -> None:
    game = begun(tmp_path)
    # What Ada says of the bicycle costs Ben a point, and he is not told.
    say(game, "That old bicycle? [price: 15]", "[price: 15] [fair: no]", f"[fair: {cleo}]")
    say(game, f"[fair: {dan}]")

    outcome = game.outcome()
    by_role = {player.role: player for player in outcome.players}
    assert outcome.winning_team == winner
    assert by_role["Cleo"].rank == by_role["Dan"].rank
    scores = {e.target: e.data["points"] for e in game.events() if e.kind == "score"}
    assert scores[0] == 2.0
    assert scores[1] == 1.0
    assert scores[2] + scores[3] == points
    voted = "fair is settled by votes: " + ("yes" if cleo == dan else "undecided")
    assert voted in sees(game, 0)


def test_the_narrator_speaks_when_it_is_due(tmp_path: Path) -> None:
    game = begun(tmp_path)
    say(game, "A bicycle, and an old\nbicycle.")
    assert sees(game, 0).count("So it is old.") == 0, "the words are not in that order"
    say(game, "An OLD, green   bicycle")
    assert sees(game, 2).endswith("[GAME] Two have spoken.\n[GAME] So it is old.")
    say(game, "Yes, an old green bicycle.")
    assert sees(game, 0).count("So it is old.") == 1


def test_a_scene_that_times_out_has_not_reached_its_goal(tmp_path: Path) -> None:
    game = begun(tmp_path)
    say(game, "", "no", "no", "no")
    ends = [event.data for event in game.events() if event.kind == "scene_end"]
    assert ends == [{"scene": "Market", "turns": 4, "reached": False}]
    assert "[Ada] says nothing." in sees(game, 2)
    say(game, "no", "no")
    assert game.outcome().reason.startswith("Points: ")
    assert game.outcome().winning_team is None


def courtroom() -> ScenarioGame:
    game = ScenarioGame(name="scenario-courtroom")
    game.reset(seed=1, num_players=2)
    while game.observe().player_index < 2:
        game.step("I have nothing to add.")
    return game


def test_a_referee_hears_all_and_is_asked_again_until_it_gives_a_verdict() -> None:
    game = courtroom()
    seen = game.observe()
    assert seen.player_index == 2
    assert "Lena Ortiz lent her key card" in seen.text
    assert "The key card record (Exhibit A) is your strongest point" in seen.text

    assert say(game, "Guilty!") == [True]
    assert "That is no verdict yet" in game.observe().new
    whole = '{"Verdict": "Gilty", "prosecution": "7", "defence": 3, "reasons": "so", "scene_2": 1}'
    assert say(game, whole) == [True]
    assert "'scene_2' is 1; expected yes or no" in game.observe().new
    assert say(game, whole.replace("1}", "true}")) == [False]

    outcome = game.outcome()
    assert (outcome.winning_team, len(outcome.players)) == ("Prosecution", 2)
    (verdict,) = (event for event in game.events() if event.kind == "verdict")
    assert verdict.data["fields"] == {
        "verdict": "guilty", "prosecution": 7.0, "defence": 3.0, "reasons": "so", "scene_2": "yes",
    }  # fmt: skip


def test_without_a_verdict_the_game_has_no_result() -> None:
    game = courtroom()
    say(game, "Guilty!", "{}")
    with pytest.raises(EnvironmentCrash, match="the referee gave no verdict in 3 answers"):
        say(game, "I abstain.")


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ('{"verdict": "guilty", "prosecution": 11}', "'prosecution' is 11; expected a whole"),
        ('{"verdict": ["guilty"]}', "'verdict' is ['guilty']; expected guilty or not guilty"),
        ('{"verdict": "maybe"}', "'verdict' is 'maybe'"),
        ('{"prosecution": 1e400}', "'prosecution' is inf"),
        ('{"prosecution": 5.5}', "'prosecution' is 5.5"),
        ('{"reasons": ""}', "'reasons' is ''"),
    ],
)  # fmt: skip
def test_what_is_no_verdict_is_said(answer: str, wrong: str) -> None:
    fields = fields_of(ScenarioGame(name="scenario-courtroom").scenario.shape)
    assert any(said.startswith(wrong) for said in read_verdict(answer, fields).wrong)


def test_options_that_make_no_scenario_are_refused(tmp_path: Path) -> None:
    file = str(haggle(tmp_path))
    copied = ScenarioGame.copied("scenario-x", {"file": file})
    for options, said in [
        ({}, "no scenario 'x' comes with the arena"),
        ({"file": file, **copied}, "expected one of them"),
        ({"file": 3}, "expected text"),
    ]:
        with pytest.raises(UsageError, match=said):
            ScenarioGame(name="scenario-x", **options)
    with pytest.raises(UsageError, match="has 4 personas, found 3 players"):
        ScenarioGame(name="scenario-x", **copied).reset(seed=0, num_players=3)
    versions = {
        ScenarioGame(name="scenario-x", **options).spec.version
        for options in (copied, {"file": file})
    }
    assert len(versions) == 1
