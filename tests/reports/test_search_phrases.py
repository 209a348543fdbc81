"""A line that people type, as phrases; an excerpt, as pieces."""

from __future__ import annotations

from arena.reports.search import around, marked, phrases


def test_what_stands_in_quotes_is_one_phrase() -> None:
    assert phrases('"I am the Doctor" mafia') == ("I am the Doctor", "mafia")
    assert phrases('open "to the end') == ("open", "to the end")
    assert phrases("don't 我是侦探") == ("don't", "我是侦探")
    assert phrases('"" * NEAR(a) -') == ("NEAR(a)",)
    assert phrases("   ") == ()


def test_an_excerpt_in_pieces() -> None:
    text = "0123456789 the wolf, the wolf! " + "x" * 50
    piece = around(text, [(11, 19), (21, 29)], 5)
    assert marked(piece) == [("the wolf", True), (",", False)]
    piece = around(text, [(11, 19), (21, 29)], 20)
    assert [found for _, found in marked(piece)] == [False, True, False, True, False]
    assert "".join(words for words, _ in marked(piece)) == piece.text
