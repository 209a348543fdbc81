"""What the page of a game says of it: the story, who lied, what turned it, and its tables."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from typing import Any

import pytest

from arena.reports.chances import TurnChance
from arena.reports.game import GameReport, PlayerReport, TurnReport
from arena.viewer.game_page import PART, GamePage, game_page
from arena.viewer.seen import Eyes, seen
from db.writer.events import EventRow
from tests.viewer.browser import sheet

ALL, MAFIA, DOCTOR = 0b11111, 0b00001, 0b00010
ROLES = ("Mafia", "Doctor", "Detective", "Villager", "Villager")
NIGHT, DAY, VOTE = "Night-Mafia", "Day-Discussion", "Day-Voting"


def event(
    turn: int | None, phase: str, kind: str, by: int | None, to: int | None = None,
    audience: int = ALL, **data: Any,
) -> EventRow:  # fmt: skip
    return EventRow(turn, 1, phase, kind, by, to, audience, data)


TOLD = [
    event(0, NIGHT, "kill_choice", 0, 2, MAFIA),
    event(1, NIGHT, "protect", 1, 2, DOCTOR, saved=True),
    event(1, NIGHT, "saved", 1, 2, 0),
    event(2, DAY, "speech", 0),
    event(2, DAY, "claim", 0, None, role="Detective"),
    event(2, DAY, "claim", 0, 2, team="Mafia"),
    event(2, DAY, "accusation", 0, 2),
    event(3, DAY, "speech", 2),
    event(3, DAY, "claim", 2, None, role="Detective"),
    event(3, DAY, "accusation", 2, 0),
    event(3, DAY, "accusation", 2, 1),
    event(3, DAY, "belief", 3, 2, 0, suspicion=0.9),
    event(3, DAY, "belief", 3, 0, 0, suspicion=0.2),
    event(4, VOTE, "vote", 0, 2),
    event(5, VOTE, "vote", 1, 2),
    event(6, VOTE, "vote", 2, 0),
    event(7, VOTE, "vote", 3, 2),
    event(8, VOTE, "vote", 4, 0),
    event(8, VOTE, "eliminate", None, 2, cause="vote", role="Detective", team="Village"),
]  # fmt: skip
PLAYERS = (0, 1, 0, 2, 0, 1, 2, 3, 4)
CHANCES = [
    TurnChance(None, "night", "Village", 0.3, 50, 15, 0.3, 0.2, 0.4),
    TurnChance(1, "day", "Village", 0.3, 50, 15, 0.35, 0.25, 0.45),
    TurnChance(8, "over", "Village", 0.0, 50, 0, 0.0, 0.0, 0.0, turned=True),
]


def told(
    eyes: Eyes = Eyes(),  # noqa: B008
    events: list[EventRow] = TOLD,
    chances: list[TurnChance] = CHANCES,
    **turn: Any,
) -> GamePage:
    players = [
        PlayerReport(index, f"Agent{index}", role, "Mafia" if role == "Mafia" else "Village", 0)
        for index, role in enumerate(ROLES)
    ]
    turns = [
        TurnReport(number, player, "", f"words {number}", number_of_calls=1, tokens=100 + number,
                   **turn)
        for number, player in enumerate(PLAYERS)
    ]  # fmt: skip
    report = GameReport(7, "SecretMafia-v0", None, 5, "completed", players, turns)
    return game_page(seen(report, events, chances if eyes.everything else [], eyes))


def drawn(page: GamePage) -> str:
    """The text of a page without its tags."""
    html = bytes(sheet("game.html", page=page, missing=None).body).decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_who_lied_to_whom_and_what_followed() -> None:
    page = told()
    [liar] = page.liars
    assert liar.player.index == 0
    assert liar.hearers is None
    own, other = liar.claims
    assert (own[0].what, own[0].of_itself, own[1]) == ("Detective", True, ())
    assert (other[0].subject.index, other[0].what) == (2, "Mafia")
    # Of the others, 1, 3 and 4 voted after it; that the accused voted too says nothing.
    [followed] = other[1]
    assert (followed.label, followed.votes, followed.asked, followed.out) == ("Vote 1", 2, 3, True)
    text = drawn(page)
    assert "claimed to be the Detective" in text
    assert "Vote 1: 2 of 3 others voted for 2 , who was put out" in text
    true = [claim for claim in page.claims if claim.player.index == 2]
    assert [claim.untrue for claim in true] == [False]


def test_where_no_lie_was_read_whom_those_accused_who_knew_better() -> None:
    silent = [each for each in TOLD if each.kind != "claim"]
    page = told(events=silent)
    assert not page.liars
    assert [(p.player.index, p.target.index, p.turns) for p in page.pointed] == [(0, 2, (2,))]
    text = drawn(page)
    assert "No untrue claim was read in what was said. Mafia accused others" in text
    assert "Agent0 Mafia accused 2" in text


def test_what_turned_it() -> None:
    [turned] = told().moments
    assert (turned.label, turned.place, turned.points) == ("Vote 1", 8, -35)
    assert [(seat.index, how) for seat, how in turned.out] == [(2, "voted out")]
    assert ([voter.index for voter in turned.voters], turned.cast) == ([0, 1, 3], 5)
    assert [(c.player.index, c.what) for c in turned.called] == [(0, "Mafia")]
    text = drawn(told())
    assert "Agent2 Detective was voted out by 0 1 3 (3 of 5 votes)" in text
    assert "after 0 had said that it is Mafia" in text
    assert "35 % → 0 %" in text


def test_the_most_frequent_liar_and_the_largest_move_come_first() -> None:
    whispered = [
        event(1, NIGHT, "claim", 3, None, role="Doctor"),
        event(1, NIGHT, "message", 3, None, MAFIA | DOCTOR, type="PLAYER_ACTION"),
    ]
    small = TurnChance(1, "day", "Village", 0.3, 50, 15, 0.25, 0.2, 0.28, turned=True)
    page = told(events=[*whispered, *TOLD], chances=[CHANCES[0], small, CHANCES[2]])
    assert [(liar.player.index, len(liar.claims)) for liar in page.liars] == [(0, 2), (3, 1)]
    assert [liar.hearers for liar in page.liars] == [None, (0, 1)]
    assert "Villager , to players 0 1:" in drawn(page)
    assert [(moment.place, moment.points) for moment in page.moments] == [(8, -25), (1, -5)]


def test_a_tie_is_said_where_it_turned_the_game() -> None:
    drawn_vote = [e if (e.kind, e.turn) != ("vote", 7) else event(7, VOTE, "pass", 3) for e in TOLD]
    [turned] = told(events=drawn_vote).moments
    assert [seat.index for seat in turned.tied] == [0]
    assert "(2 of 4 votes, a tie with 0 )" in drawn(told(events=drawn_vote))
    assert "a tie" not in drawn(told())


def test_the_story_is_told_with_counts_and_who_saved() -> None:
    assert [(c.when, c.who.index, c.how) for c in told().story] == [
        ("Night 1", 2, "saved by the Doctor"),
        ("Vote 1", 2, "voted out, 3 of 5"),
    ]


def test_a_turn_that_the_rules_refused_is_in_the_phase_that_had_begun() -> None:
    refused = EventRow(0, None, None, "refused", 0, None, ALL, {})
    last = EventRow(8, None, None, "refused", 4, None, ALL, {"eliminated": True})
    out = event(8, NIGHT, "eliminate", None, 4, cause="error", role="Villager", team="Village")
    began = [event(None, NIGHT, "phase", None), event(7, NIGHT, "phase", None)]
    page = told(events=[began[0], refused, *TOLD[1:17], began[1], last, out])
    assert [section.label for section in page.sections] == ["Night 1", "Day 1", "Vote 1", "Night 1"]
    assert (page.story[-1].when, page.story[-1].how) == ("Night 1", "thrown out for an error")
    # In eyes from which the night is hidden nothing tells when it began.
    assert told(Eyes(player=3), events=[refused, *TOLD[1:]]).sections[0].label != "Game"


def test_the_tables() -> None:
    page = told()
    [vote] = page.votes
    assert (vote.label, vote.out, vote.counts) == ("Vote 1", 2, {2: 3, 0: 2})
    assert (vote.team, vote.right, vote.asked) == ("Village", 2, 4)
    assert [cast.right for cast in vote.votes] == [True, False, True, False, True]
    assert page.nights is not None
    assert page.nights.kinds == ("kill_choice", "protect")
    [(label, (kills, protected), out)] = page.nights.rows
    assert (label, [deed.target.index for deed in kills], protected[0].found, out) == (
        "Night 1", [2], "saved", (),
    )  # fmt: skip
    [named] = page.namings
    assert (named.label, named.counts, named.most) == (
        "Day 1",
        {(0, 2): 1, (2, 0): 1, (2, 1): 1},
        1,
    )
    [believer] = page.believers
    assert (believer.player.index, [seat.index for seat in believer.most], believer.right) == (
        3, [2], False,
    )  # fmt: skip
    assert [(s.player.index, s.calls, s.tokens) for s in page.spending][:2] == [
        (0, 3, 306), (1, 2, 206),
    ]  # fmt: skip


def test_sections_say_the_chance_after_them() -> None:
    found = [(s.label, s.chance, s.points) for s in told().sections]
    assert found == [("Night 1", 0.35, None), ("Day 1", 0.35, None), ("Vote 1", 0.0, -35)]


def test_votes_in_the_lanes_are_coloured_by_whom_they_help() -> None:
    page = told()
    assert page.lanes is not None
    votes = [mark for mark in page.lanes.marks if mark.look == "vote"]
    mafia, village = page.teams["Mafia"], page.teams["Village"]
    assert [mark.team for mark in votes] == [mafia, mafia, village, mafia, village]
    [out] = [mark for mark in page.lanes.marks if mark.look == "out"]
    assert (out.label, out.before) == ("voted out", True)
    heights = [bar.height for bar in page.lanes.bars]
    assert heights == sorted(heights)


def test_lanes_show_lies_the_ends_of_players_and_where_the_chance_moved() -> None:
    protects_itself = event(1, NIGHT, "protect", 1, 1, DOCTOR)
    page = told(events=[*TOLD[:1], protects_itself, *(e for e in TOLD if (e.turn or 0) > 1)])
    assert page.lanes is not None
    lanes = page.lanes
    of = {lane.seat.index: lane for lane in lanes.lanes}
    speeches = {mark.place: mark for mark in lanes.marks if mark.place in (2, 3)}
    assert [speeches[place].look for place in (2, 3)] == ["untrue", "speech"]
    assert speeches[2].says == "Agent0 speaks: Agent0: Detective; Agent2: Mafia"
    killing, protecting = lanes.marks[:2]
    assert (killing.look, killing.to) == ("kill_choice", of[2].y)
    assert (protecting.look, protecting.y, protecting.to) == ("protect", of[1].y, None)
    assert [band.label for band in lanes.bands] == ["Night 1", "Day 1", "Vote 1"]
    assert [band.start for band in lanes.bands[1:]] == [band.end for band in lanes.bands[:2]]
    assert lanes.curve is not None
    assert (lanes.curve.team, lanes.curve.other) == ("Village", "Mafia")
    assert [points for _, _, points in lanes.curve.moves] == [-35]
    out_early = told(events=[event(4, VOTE, "eliminate", None, 3, cause="vote")], chances=[])
    assert out_early.lanes is not None
    ends = {lane.seat.index: lane.end for lane in out_early.lanes.lanes}
    assert ends.pop(3) < out_early.lanes.right
    assert {*ends.values()} == {out_early.lanes.right}
    # A turn of which no event tells anything has a mark all the same.
    assert [mark.says for mark in out_early.lanes.marks if mark.place == 0] == ["Agent0 acts"]


def test_lies_are_told_of_where_players_have_to_be_found_out() -> None:
    assert "Who lied to whom" in drawn(told())
    open_ = told(events=[event(2, DAY, "speech", 0), event(3, DAY, "offer", 2)], chances=[])
    assert not open_.teams_are_hidden
    assert "Who lied to whom" not in drawn(open_)
    assert 'class="digest"' not in drawn(open_)
    silent = told(events=[e for e in TOLD if e.kind in ("speech", "vote", "eliminate")])
    assert "No untrue claim was read" in drawn(silent)


@pytest.mark.parametrize("eyes", [Eyes(0), Eyes(2), Eyes(public=True), Eyes(None, True, True)])
def test_what_is_hidden_is_in_no_table(eyes: Eyes) -> None:
    page = told(eyes)
    assert not page.moments
    assert not page.pointed
    assert not page.believers
    assert not page.spending
    assert all(vote.team is None and vote.right == 0 for vote in page.votes)
    text = drawn(page)
    for words in (
        "Who lied",
        "What turned it",
        "aimed right",
        "Beliefs",
        "What it cost",
        "saved by",
    ):
        assert words not in text


def test_failed_calls_stand_in_the_head_and_at_their_turns() -> None:
    html = bytes(sheet("game.html", page=told(failed_calls=2), missing=None).body).decode()
    assert "18 failed calls" in html
    assert 'href="/game/7/turn/0#failed"' in html


def long_game(turns: int, events: Mapping[str, Any] | None = None) -> GamePage:
    report = GameReport(
        1, "Game", None, 5, "completed", [PlayerReport(0, "A"), PlayerReport(1, "B")],
        [TurnReport(n, n % 2, "", f"the words of turn {n}", tokens=n) for n in range(turns)],
    )  # fmt: skip
    told = [EventRow(n, None, None, "speech", n % 2, None, 0b11, {}) for n in range(turns)]
    return game_page(seen(report, told, [], Eyes()), **(events or {}))


def test_a_long_game_is_told_in_parts() -> None:
    first = long_game(2_000)
    assert len(first.parts) == 10
    assert (first.first, first.end) == (0, PART)
    html = bytes(sheet("game.html", page=first, missing=None).body)
    assert len(gzip.compress(html)) < 100_000
    assert b"the words of turn 199" in html
    assert b"the words of turn 200" not in html
    last = long_game(2_000, {"part": 9})
    assert last.lanes is not None
    assert [mark.place for mark in last.lanes.marks] == [*range(1_800, 2_000)]
    assert all(last.lanes.left < mark.x < last.lanes.right for mark in last.lanes.marks)
    html = bytes(sheet("game.html", page=last, missing=None).body)
    assert b'id="turn-1999"' in html
    assert b'href="/game/1?part=8"' in html


def test_a_game_a_little_longer_than_a_part_is_told_at_once() -> None:
    assert not long_game(PART + PART // 2).parts
    assert len(long_game(PART + PART // 2 + 1).parts) == 2
