"""A label says which version of a name it is; what only looks like one is a name."""

from __future__ import annotations

import pytest

from db.versions import versioned


@pytest.mark.parametrize(
    ("label", "name", "version"),
    [
        ("anna", "anna", 1),
        ("anna@2", "anna", 2),
        ("anna@17", "anna", 17),
        ("anna@home", "anna@home", 1),
        ("anna@1", "anna@1", 1),
        ("anna@0", "anna@0", 1),
        ("anna@02", "anna@02", 1),
        ("@2", "@2", 1),
        ("a@2@3", "a@2", 3),
        ("a\nb@2", "a\nb", 2),
        ("anna@99999999999", "anna@99999999999", 1),
    ],
)
def test_a_label_has_a_name_and_a_version(label: str, name: str, version: int) -> None:
    assert versioned(label) == (name, version)
    assert versioned(label).label == label
