"""The figures of `python -m real` that need no model are what they should be."""

from __future__ import annotations

import pytest

from real.__main__ import main
from real.reading import Figure, figures


def test_every_figure_is_what_it_should_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert [figure for figure in figures() if not figure.met] == []
    assert main() == 0
    assert "clear vote forms read right                 60 of 60\n" in capsys.readouterr().out


def test_a_figure_that_falls_short_is_told_apart() -> None:
    assert not Figure("right", 56, 60, least=57).met
    assert not Figure("misread", 1, 60, most=0).met
