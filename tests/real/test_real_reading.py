"""The figures of `make real` that need no model are what they should be."""

from __future__ import annotations

from real.figures import Figure
from real.reading import figures


def test_every_figure_is_what_it_should_be() -> None:
    assert [figure for figure in figures() if not figure.met] == []


def test_a_figure_that_falls_short_is_told_apart() -> None:
    assert not Figure("right", 56, 60, least=57 / 60).met
    assert not Figure("misread", 1, 60, most=0).met
