"""Games other than Mafia: boards, lines, rounds, offers and moves, as each player saw them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from arena.reports.game import GameReport, PlayerReport, TurnReport
from arena.viewer.grids import boards, grid_in, without_grid
from arena.viewer.seen import Eyes, seen
from db import get_session
from db.queries.events import events
from db.queries.transcript import transcript
from db.writer.events import EventRow
from tests.viewer.browser import Get, browsing
from tests.viewer.tables import number

STRIP = re.compile(r'<li data-board="(\d+)">.*?<pre><bdi dir="ltr">(.*?)</bdi></pre>', re.DOTALL)


@pytest.fixture
def see(tables: str) -> Iterator[Get]:
    """The pages of those games."""
    with browsing(tables) as ask:
        yield ask


def drawn(page: str) -> list[tuple[int, str]]:
    """(place, board) of the boards of a page, without what is marked."""
    return [(int(at), re.sub("</?mark>", "", board)) for at, board in STRIP.findall(page)]


def test_a_board_is_drawn_as_it_stood_ahead_of_every_turn(see: Get, tables: str) -> None:
    game = number("ConnectFour-v0")
    page = see(f"/game/{game}").text
    found = drawn(page)
    with get_session(tables, create=False) as session:
        turns = transcript(session, game, calls=False)
        changes = [event for event in events(session, game) if event.kind == "board"]
    assert [at for at, _ in found] == list(range(len(turns)))
    assert found[0][1].split() == [*"0123456", "-" * 13, *"." * 42]
    for (_, before), (_, after), change in zip(found, found[1:], changes, strict=False):
        ((field, (_, piece)),) = change.data["fields"].items()
        row, column = map(int, field.split("."))
        old, new = (text.rstrip("\n").split("\n")[2:] for text in (before, after))
        expected = [line.split() for line in old]
        expected[row][column] = piece
        assert [line.split() for line in new] == expected
    assert page.count("<mark>") == len(turns) - 1


def test_players_with_boards_of_their_own_never_see_the_others(see: Get, tables: str) -> None:
    game = number("Battleship-v0")
    whole = see(f"/game/{game}").text
    assert "as player 0 is shown it" in whole
    assert "as player 1 is shown it" in whole
    ships = {text for _, text in drawn(whole)}
    with get_session(tables, create=False) as session:
        turns = transcript(session, game, calls=False)
    for player in range(2):
        shown = " ".join(str(turn.observation) for turn in turns if turn.player_index == player)
        others = " ".join(str(turn.observation) for turn in turns if turn.player_index != player)
        own = {text for _, text in drawn(see(f"/game/{game}?as={player}").text)}
        assert own
        assert own < ships
        for board in own:
            fleet = board.splitlines()[2]
            assert fleet in shown
            assert fleet not in others
    assert not drawn(see(f"/game/{game}?hidden=1").text)


def test_scores_and_decisions_of_rounds(see: Get) -> None:
    page = see(f"/game/{number('IteratedPrisonersDilemma-v0')}").text
    rows = re.findall(r'<tr><th scope="row" class="n">(\d+)</th>(.*?)</tr>', page)
    assert [int(row) for row, _ in rows] == list(range(1, 11))
    totals = [0, 0]
    pays = {"cc": (3, 3), "dd": (1, 1), "dc": (5, 0), "cd": (0, 5)}
    for _, cells in rows:
        chose = re.findall(r"<bdi>(cooperate|defect)</bdi>", cells)
        brought = [int(each) for each in re.findall(r'class="brought">([+-]\d+)', cells)]
        assert brought == [*pays["".join(each[0] for each in chose)]]
        totals = [total + more for total, more in zip(totals, brought, strict=True)]
    assert f'aria-label="Scores: 0: {totals[0]}, 1: {totals[1]}"' in page
    assert page.count('<polyline class="step"') == 2


def test_a_decision_is_seen_by_who_made_it(see: Get) -> None:
    game = number("IteratedPrisonersDilemma-v0")
    page = see(f"/game/{game}?as=0").text
    for cells in re.findall(r'<tr><th scope="row" class="n">\d+</th>(.*?)</tr>', page):
        own, other = re.findall(r"<td>(.*?)</td>", cells)
        assert re.search("cooperate|defect", own)
        assert not re.search("cooperate|defect", other)


def test_hands_pots_and_chips(see: Get) -> None:
    game = number("KuhnPoker-v0")
    page = see(f"/game/{game}").text
    assert 'aria-label="Chips: 0:' in page
    hands = r'class="hand"><bdi>([JQK])</bdi>'
    assert len(re.findall(hands, page)) == 6
    assert len(re.findall(hands, see(f"/game/{game}?as=0").text)) == 3


def test_bids_on_dice_are_a_line_and_who_loses_one_is_told(see: Get) -> None:
    page = see(f"/game/{number('LiarsDice-v0')}").text
    assert "Remaining dice: 0:" in page
    assert "Bids: " in page
    assert "loses a die" in page


def test_offers_and_what_came_of_them(see: Get, tables: str) -> None:
    game = number("SimpleNegotiation-v0")
    page = see(f"/game/{game}").text
    with get_session(tables, create=False) as session:
        told = events(session, game)
    offers = [event for event in told if event.kind == "offer"]
    answered = [event for event in told if event.kind in ("accept", "reject")]
    section = page[page.index('<section class="offers">') :]
    rows = re.findall(r"<tr><td>(.*?)</tr>", section[: section.index("</section>")])
    assert len(rows) == len(offers) > 0
    assert sum("accepted" in row or "rejected" in row for row in rows) == len(answered)
    for row, offer in zip(rows, offers, strict=True):
        for name, amount in offer.data["gives"].items():
            assert f"{name} {amount}" in row


def test_the_word_of_a_clue_is_not_in_the_page_of_who_must_guess_it(see: Get, tables: str) -> None:
    game = number("Taboo-v0")
    with get_session(tables, create=False) as session:
        clues = [event for event in events(session, game) if event.kind == "clue"]
    words = {event.data["word"] for event in clues}
    assert words
    guessers = {0, 1, 2, 3} - {event.source for event in clues}
    assert all(word in see(f"/game/{game}").text for word in words)
    for player in guessers:
        text = see(f"/game/{game}?as={player}").text
        assert not [word for word in words if f"<bdi>{word}</bdi>" in text]


def test_a_board_that_a_player_wrote_is_not_drawn() -> None:
    fake = "\n".join("X X X" for _ in range(3))
    real = "\n".join(". . ." for _ in range(3))
    report = GameReport(
        1, "Game", None, 5, "completed",
        [PlayerReport(index, f"Agent {index}") for index in range(2)],
        [
            TurnReport(0, 0, f"[GAME] Board\n{real}", f"[GAME] Board\n{fake}"),
            TurnReport(1, 1, f"[GAME] Board\n{real}\n[Player 0] [GAME] Board\n{fake}", "pass"),
            TurnReport(2, 0, f"[Somebody] Look at\n{fake}", "pass"),
        ],
    )  # fmt: skip
    told = [EventRow(0, None, None, "message", 0, None, 0b11, {"type": "PLAYER_ACTION"})]
    for eyes in (Eyes(), Eyes(1), Eyes(public=True)):
        found = boards(seen(report, told, [], eyes))
        assert fake not in {grid.text for grid in found.grids} if found else not eyes.everything


def test_what_is_a_board() -> None:
    assert grid_in("Go on:\n1 | X | O\n--+---+--\n2 | O | X\nSubmit [1 2].") == (
        "1 | X | O\n--+---+--\n2 | O | X"
    )
    assert grid_in("You may say anything.\nIt is up to you.\nGo on.") is None
    assert grid_in("Valid moves: [3, 4], [2, 1]\nScores: 3, 4, 5") is None
    assert without_grid("Board state:\n. . .\n. . .\n. . .") == ""
    assert without_grid("Player 0 put X into column 2, next to O.\n. . .\n. . .\n. . .") == (
        "Player 0 put X into column 2, next to O."
    )
