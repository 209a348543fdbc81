"""The proof of composite agents, made small."""

from __future__ import annotations

import pytest

from proof import composite
from proof.composite import COLUMNS, measure


def test_parts_are_covered_and_unseen_combinations_predicted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(composite, "COUNTS", (50, 600))
    monkeypatch.setattr(composite, "REPETITIONS", (300, 300))

    part = measure(scale=0.01, processes=1)

    assert len(part.figures) == 4 * 5
    assert all(0.5 < figure.value <= 1.0 for figure in part.figures)
    (table,) = part.tables
    correlation = 1 + COLUMNS.index("unseen combinations' correlation")
    few, many = (float(row[correlation]) for row in table.rows[:2])
    assert few < many
    assert many > 0.7
