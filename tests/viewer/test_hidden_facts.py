"""A page for somebody holds what it was shown, and nothing else: every text of a game that was
really played is replaced by a mark, and the marks in each page are counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from arena.reports.calls import SentMessage
from arena.reports.chances import TurnChance, chances
from arena.reports.game import GameReport, PlayerReport, TurnReport, game_report
from arena.viewer.game_page import game_page
from arena.viewer.lanes import teams_of
from arena.viewer.seen import Eyes, SeenGame, calls_of, seen
from db import get_session
from db.queries.events import events
from db.queries.games import game
from db.queries.transcript import transcript
from db.writer.events import EventRow
from tests.selecting import sampled
from tests.viewer.browser import NAMES, Get, sheet

Marked = tuple[GameReport, list[EventRow], list[TurnChance]]
SHOWN_WITH = {"eliminate": {"cause"}, "investigate": {"found"}}
SHOWN_WITH["claim"] = {"role", "team"}


@pytest.fixture(scope="module", params=sampled([1, 2, 3], one_in=8))
def marked(watched: str, request: pytest.FixtureRequest) -> Marked:
    """A game in which every text is a mark of its own."""
    with get_session(watched, create=False) as session:
        row = game(session, request.param)
        assert row is not None
        report = game_report(row, transcript(session, request.param), with_calls=True)
        told = events(session, request.param)
        moves = chances(session, request.param)
    players = [
        replace(p, agent=f"@agent{p.index}@", role=f"@role{p.index}@", team=f"@team{p.index}@")
        for p in report.players
    ]
    turns = [
        replace(
            turn,
            new=f"[GAME] @new{turn.number}@",
            action=f"@action{turn.number}@",
            submitted=f"@submitted{turn.number}@",
            tokens=7_000_000 + turn.number,
            failed_calls=4_000 + turn.number,
            calls=[
                replace(
                    c,
                    answer=f"@answer{turn.number}@",
                    error=f"@failed{turn.number}@",
                    advice=f"@advice{turn.number}@",
                    request={"model": f"@request{turn.number}@"},
                    response=[f"@response{turn.number}@"],
                    messages=[SentMessage("user", f"@prompt{turn.number}@")],
                )
                for c in turn.calls
            ],
        )
        for turn in report.turns
    ]
    data = [
        event._replace(
            data={
                key: f"@data{seq}{key}@" if key not in ("text", "chars", "winners") else value
                for key, value in event.data.items()
            }
        )
        for seq, event in enumerate(told)
    ]
    ended = {
        "winning_team": "@won@",
        "reason": "@reason@",
        "termination": "@end@",
        "error": "@error@",
    }
    return replace(report, players=players, turns=turns, cost=123.45, **ended), data, moves  # type: ignore[arg-type]


def pages(of: Marked, eyes: Eyes) -> Iterator[str]:
    """Every page of the game in these eyes, and all that a page could be drawn from."""
    shown = seen(*of, eyes)
    yield repr(shown)
    yield bytes(sheet("game.html", page=game_page(shown), missing=None).body).decode()
    for turn in shown.turns:
        if (found := calls_of(shown, turn.number)) is not None:
            yield bytes(sheet("turn.html",
                game=shown, turn=turn, calls=found[1], seat=shown.seats[turn.player],
                teams=teams_of(shown), part=None, previous=None, following=None, tools=(),
            ).body).decode()  # fmt: skip


def plain(text: str) -> str:
    """With numbers as they are without the commas of thousands."""
    return re.sub(r"(?<=\d),(?=\d{3})", "", text)


@pytest.mark.slow
def test_a_player_sees_what_it_was_shown_until_its_last_turn(marked: Marked) -> None:
    report, told, _ = marked
    for player in range(6):
        own = [turn.number for turn in report.turns if turn.player == player]
        allowed = {f"@{what}{player}@" for what in ("agent", "role", "team")}
        for number in own:
            allowed |= {
                f"@{what}{number}@"
                for what in (
                    "new", "action", "submitted", "answer", "prompt",
                    "failed", "advice", "request", "response",
                )
            }  # fmt: skip
        for seq, event in enumerate(told):
            heard = event.audience is not None and event.audience >> player & 1
            in_time = event.turn is None or (bool(own) and event.turn <= own[-1])
            if heard and in_time:
                if event.kind == "message" and event.source is not None:
                    allowed.add(f"@submitted{event.turn}@")
                allowed |= {f"@data{seq}{key}@" for key in SHOWN_WITH.get(event.kind, ())}
        text = "".join(pages(marked, Eyes(player)))
        found = set(re.findall(r"@[^@\s]+@", text))
        assert found <= allowed, found - allowed
        tokens = {
            int(number) - 7_000_000
            for number in re.findall(r"(?<![\d.])70000\d\d(?!\d)", plain(text))
        }
        assert tokens == {*own}
        if own:
            assert {f"@role{player}@", f"@action{own[0]}@", f"@prompt{own[0]}@"} <= found
        assert "123.45" not in text


def test_the_public_sees_no_role_no_night_and_no_end(marked: Marked) -> None:
    report, told, _ = marked
    everybody = (1 << len(report.players)) - 1
    allowed = {f"@agent{player.index}@" for player in report.players}
    for seq, event in enumerate(told):
        if event.audience == everybody:
            allowed |= {f"@data{seq}{key}@" for key in SHOWN_WITH.get(event.kind, ())}
            if event.kind == "message" and event.source is not None:
                allowed.add(f"@submitted{event.turn}@")
    text = "".join(pages(marked, Eyes(public=True)))
    found = set(re.findall(r"@[^@\s]+@", text))
    assert found <= allowed, found - allowed
    assert {f"@agent{player.index}@" for player in report.players} <= found
    assert any(mark.startswith("@submitted") for mark in found)
    assert "123.45" not in text
    assert "Win chance" not in text
    assert not re.search(r"70000\d\d|40\d\d failed", plain(text))


def test_whoever_rates_blind_sees_what_the_public_does_and_no_name(marked: Marked) -> None:
    report, told, moves = marked
    named = replace(report, tournament="@tournament@")
    public = "".join(pages(marked, Eyes(public=True)))
    text = "".join(pages((named, told, moves), Eyes(public=True, blind=True)))
    seen_by_all = {mark for mark in re.findall(r"@[^@\s]+@", public) if "@agent" not in mark}
    assert set(re.findall(r"@[^@\s]+@", text)) == seen_by_all
    assert "123.45" not in text


def test_who_may_see_everything_does(marked: Marked) -> None:
    text = "".join(pages(marked, Eyes()))
    for mark in ("@role5@", "@won@", "@reason@", "@error@", "@action0@", "@prompt0@"):
        assert mark in text


def test_facts_of_the_whole_game_are_for_those_who_see_everything(marked: Marked) -> None:
    """Every field of what pages are drawn from is hidden, but for those that are named here."""
    report, told, moves = marked
    whole = replace(
        report, seed=5, parent=(7, 3), void_cause="void", number_of_calls=9, winning_team="team"
    )
    assert moves
    shown = {
            "number", "eyes", "environment", "status", "seats", "turns", "events", "tournament",
            "narrated",
        }  # fmt: skip
    # They need another game, or a part of the page that this one has not.
    other = {"drawn", "changes", "reader"}
    hidden = [field for field in fields(SeenGame) if field.name not in shown]
    everything = seen(whole, told, moves, Eyes())
    for field in hidden:
        if field.name not in other:
            assert getattr(everything, field.name) != field.default, field.name
    drawn = replace(whole, players=[replace(player, rank=0) for player in whole.players])
    for eyes in (Eyes(0), Eyes(public=True), Eyes(public=True, blind=True)):
        for report in (whole, drawn):
            game = seen(report, told, moves, eyes)
            for field in hidden:
                assert getattr(game, field.name) == field.default, field.name
            assert all(turn.audience is None for turn in game.turns)
            assert all(seat.outcome is None for seat in game.seats)
    assert seen(drawn, told, moves, Eyes()).drawn


def test_an_act_that_was_seen_does_not_tell_its_words() -> None:
    """A vote whose words the rules kept to themselves, and one whose words they passed on."""
    report = GameReport(
        1, "Game", None, 5, "completed",
        [PlayerReport(index, f"Agent {index}") for index in range(2)],
        [
            TurnReport(0, 0, "", "kept words"),
            TurnReport(1, 0, "", "said words"),
            TurnReport(2, 1, "", "own words"),
        ],
    )  # fmt: skip
    told = [
        EventRow(0, 1, "Vote", "vote", 0, 1, 0b11, {}),
        EventRow(0, 1, "Vote", "message", 0, None, 0b01, {"type": "PLAYER_ACTION"}),
        EventRow(1, 1, "Vote", "vote", 0, 1, 0b11, {}),
        EventRow(1, 1, "Vote", "message", 0, None, 0b11, {"type": "PLAYER_ACTION"}),
    ]
    for eyes in (Eyes(1), Eyes(public=True)):
        shown = seen(report, told, [], eyes)
        assert [turn.words for turn in shown.turns][:2] == [None, "said words"]
        text = "".join(pages((report, told, []), eyes))
        assert "kept words" not in text
        assert text.count("votes for") > 1


def test_a_card_that_both_had_at_different_times_is_told_to_nobody_else() -> None:
    """The same words to one player in the first round, and to the other in the second."""
    king, queen, said = "Your card is K", "Your card is Q", "Player 0 folds"
    report = GameReport(
        1, "Game", None, 5, "completed",
        [PlayerReport(index, f"Agent {index}") for index in range(2)],
        [
            TurnReport(0, 0, f"[GAME] Rules\n[GAME] {king}", "fold"),
            TurnReport(1, 1, f"[GAME] Rules\n[GAME] {queen}\n[GAME] {said}", "bet"),
            TurnReport(2, 0, f"[GAME] {said}\n[GAME] {queen}", "fold"),
            TurnReport(3, 1, f"[GAME] {king}", "bet"),
        ],
    )  # fmt: skip
    sent = [(None, king, 0b01), (None, queen, 0b10), (0, said, 0b11), (1, queen, 0b01)]
    told = [
        EventRow(turn, 1, None, "message", None, None, audience, {"text": text})
        for turn, text, audience in [*sent, (1, king, 0b10)]
    ]
    told += [
        EventRow(turn, 1, None, "message", turn % 2, None, 0b11, {"type": "PLAYER_ACTION"})
        for turn in range(4)
    ]

    def before(eyes: Eyes) -> list[list[str]]:
        shown = seen(report, told, [], eyes)
        return [[text for text in turn.before if text != "Rules"] for turn in shown.turns]

    assert before(Eyes(public=True)) == [[], [said], [], []]
    assert before(Eyes(0)) == [[king], [said], [queen]]
    assert before(Eyes(1)) == [[queen], [said], [king], []]


def test_numbers_of_turns_have_no_gaps_where_something_is_hidden(marked: Marked) -> None:
    report = marked[0]
    for player in range(6):
        shown = seen(*marked, Eyes(player))
        assert [turn.number for turn in shown.turns] == [*range(len(shown.turns))]
        assert len(shown.turns) < len(report.turns)


def test_no_name_of_another_agent_is_in_the_page_of_a_player(get: Get) -> None:
    for number in (1, 2, 3):
        everything = get(f"/game/{number}").text
        cast = re.findall(r'<text class="lane t\d" x="4" y="[\d.]+">(\d) (\w+)', everything)
        assert len(cast) == len(NAMES)
        for player, own in cast:
            text = get(f"/game/{number}?as={player}").text
            assert own in text
            assert not [name for _, name in cast if name != own and name in text]
            assert "Win chance" not in text
            assert " won</h1>" not in text


@pytest.mark.parametrize(
    "hiding", [*(f"as={player}" for player in range(6)), "hidden=1", "blind=1"]
)
def test_no_page_that_hides_leads_to_what_it_hides(get: Get, watched: str, hiding: str) -> None:
    """Every page that is reached from a hidden one with the same eyes, attributes included."""
    name, _, value = hiding.partition("=")
    with get_session(watched) as session:
        row = game(session, 1)
    assert row is not None
    everybody = {player.agent for player in row.players}
    own = {player.agent for player in row.players if hiding == f"as={player.player_index}"}
    secret = everybody - own if name != "hidden" else set()
    waiting, done = [f"/game/1?{hiding}"], set()
    while waiting:
        path = waiting.pop()
        done.add(path)
        text = get(path).text
        assert not [agent for agent in secret if agent in text], path
        if name != "as":
            assert "prompt and answer" not in text
        for link in re.findall(r'href="(/game/[^"#]+)', text):
            link = link.replace("&amp;", "&")
            same = re.search(rf"[?&]{name}={value}(&|$)", link)
            if same and link not in done and link not in waiting:
                waiting.append(link)
    acted = name == "as" and 'class="turn' in get(f"/game/1?{hiding}").text
    assert not acted or len(done) > 1, "its own turns have pages"


def test_what_came_of_a_players_last_turn_was_never_shown_to_it() -> None:
    report = GameReport(
        1, "Game", None, 5, "completed",
        [PlayerReport(index, f"Agent {index}") for index in range(2)],
        [TurnReport(0, 0, "", "first"), TurnReport(1, 1, "", "last")],
    )  # fmt: skip
    told = [
        EventRow(1, 1, "Vote", "vote", 1, 0, 0b11, {}),
        EventRow(1, 1, "Vote", "eliminate", None, 0, 0b11, {"cause": "vote"}),
    ]
    assert [event.kind for event in seen(report, told, [], Eyes(1)).events] == ["vote"]
    assert [event.kind for event in seen(report, told, [], Eyes(public=True)).events] == [
        "vote",
        "eliminate",
    ]
