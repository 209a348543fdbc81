"""Options of rules: their types, their bounds, and the files that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.core import UsageError
from arena.core.environments import RulesOption
from arena.core.rules_options import check_values, held


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("int", 3, True),
        ("int", "many", False),
        ("int", 3.5, False),
        ("int", True, False),
        ("int", None, False),
        ("Optional[int]", None, True),
        ("Optional[int]", "3", False),
        ("int | None", None, True),
        ("int | None", [], False),
        ("float", 3, True),
        ("bool", 1, False),
        ("str", 1, False),
        ("Union[str, List[str]]", ["a"], True),
        ("Union[str, List[str]]", [1], False),
        ("List[int]", [1, 2], True),
        ("List[int]", 3, False),
        ("Dict[str, int]", {"a": 1}, True),
        ("Tuple[int, int]", [1, 2], True),
        ("typing.Literal['a', 'b']", "c", False),
        ("typing.Literal['a', 'b']", "a", True),
        ("somewhere.Board", object(), True),
    ],
)
def test_a_value_is_of_its_options_type(kind: str, value: Any, fits: bool) -> None:
    option = RulesOption("x", kind, 1)
    if fits:
        check_values("Rules-v0", [option], {"x": value})
    else:
        with pytest.raises(UsageError, match=r"Rules-v0 has the option x: .*; expected .*"):
            check_values("Rules-v0", [option], {"x": value})


@pytest.mark.parametrize(
    ("option", "low", "high"),
    [
        (RulesOption("discussion_rounds", "int", 3), -1, 10_001),
        (RulesOption("mafia_ratio", "float", 0.25), -0.1, 1.1),
        (RulesOption("board_size", "int", 8), -1, 101),
        (RulesOption("overcrowding_penalty", "int", -5), -10_001, 10_001),
        (RulesOption("cooperate_reward", "int", 3), -10_001, 10_001),
    ],
)
def test_a_number_is_within_bounds(option: RulesOption, low: float, high: float) -> None:
    for value in (low, high):
        with pytest.raises(UsageError, match=option.name):
            check_values("Rules-v0", [option], {option.name: value})
    whole = option.type == "int"
    step = 1 if whole else 0.1
    for value in (low + step, high - step):
        check_values("Rules-v0", [option], {option.name: int(value) if whole else value})


def test_the_usual_values_of_every_environment_pass() -> None:
    for name in ("SecretMafia-v0", "Taboo-v0", "MarketEntryGame-v0", "Nim-v0", "TwoDollar-v0"):
        options = registry.environment_options(name)
        check_values(name, options, {o.name: o.default for o in options if not o.required})


def test_a_file_is_inside_the_tournaments_folder(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "words.json").write_text("{}")
    (tmp_path / "secret.json").write_text("{}")
    (folder / "link").symlink_to(tmp_path / "secret.json")
    whole = str(folder / "words.json")
    for value in ("words.json", "./words.json", whole):
        assert held("Rules-v0", {"data_path": value}, folder) == {"data_path": whole}
    for value in (
        "/etc/passwd", "../secret.json", "link", "~/x.json", str(tmp_path / "secret.json"), "a\0b",
        "\\\\host\\share",
    ):  # fmt: skip
        for options in ({"data_path": value}, {"deck": [{"file": value}]}):
            with pytest.raises(UsageError):
                held("Rules-v0", options, folder)
    for value in ("/etc/passwd", "../secret.json", "~/x.json"):
        with pytest.raises(UsageError, match="leads out of the tournament's folder"):
            held("Rules-v0", {"anything": value}, folder)
    with pytest.raises(UsageError, match="type `arena run` with that file"):
        held("Rules-v0", {"data_path": "words.json"}, None)
    with pytest.raises(UsageError, match="no such file"):
        held("Rules-v0", {"data_path": "wrds.json"}, folder)
    for value in ("city/country", "things", r"\[\w+\]", 3, None, ""):
        assert held("Rules-v0", {"categories": value}, folder) == {"categories": value}
