"""A scenario file is read whole or refused: with its line, what was found and what to write."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from arena.core import ConfigError
from arena.scenarios import words
from arena.scenarios.reading import load, restored, shipped
from tests.scenarios.files import NOTE, haggle

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefg")
)


def test_a_copy_of_a_scenario_needs_no_file(tmp_path: Path) -> None:
    file = haggle(tmp_path)
    found = load(file)
    (tmp_path / "note.txt").unlink()
    file.unlink()

    again = restored(found.copied)

    assert again == found
    assert again.mark == found.mark
    assert again.filled("{{players}}: {{texts.note}}") == f"Ada, Ben, Cleo, Dan: {NOTE}"


def test_what_is_written_otherwise_is_another_scenario(tmp_path: Path) -> None:
    first = load(haggle(tmp_path))
    reordered = load(
        haggle(tmp_path, ("tags: [small]\ndifficulty: easy", "difficulty: easy\ntags: [small]"))
    )
    other = load(haggle(tmp_path, ("[10, 20]", "[10, 21]")))
    (tmp_path / "note.txt").write_text("It has two wheels.")

    assert reordered.mark == first.mark
    assert len({first.mark, other.mark, load(tmp_path / "haggle.yaml").mark}) == 3


def test_those_that_come_with_the_arena_are_read() -> None:
    assert shipped() == ["courtroom", "negotiation"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("tags:", "tagz:", "3: unknown key 'tagz'; did you mean 'tags'?"),
        ("difficulty: easy", "difficulty: nasty", "'medium' or 'hard', found 'nasty'"),
        ("name: A bicycle\n", "", "'name' is missing"),
        ("name: Dan", "name: ada", "personas[3].name: 'ada' is already the name of personas[0]"),
        ("name: Dan", "name: Narrator", "personas[3].name: 'Narrator' is the arena's own"),
        ("name: Dan", "name: 'Da[n'", "braces and ':', found 'Da[n'"),
        (
            "speaks: [Cleo, Dan]",
            "speaks: [Cleo, Dann]",
            "speaks[1]: unknown persona 'Dann'; did you mean 'Dan'?",
        ),
        (
            "observes: [Cleo]",
            "observes: [Ada]",
            "scenes[0].observes[0]: 'Ada' speaks in this scene",
        ),
        ("timeout_turns: 4", "timeout_turns: 0", "expected a number from 1 up, found 0"),
        ("timeout_turns: 4", "timeout_turns: many", "expected a whole number, found 'many'"),
        (
            "{settled: [price]}",
            "{settled: [prize]}",
            "unknown value 'prize'; did you mean 'price'?",
        ),
        ("{settled: [price]}", "{settled: [price], said: ok}", "found settled and said"),
        (
            "{settled: [price]}",
            "{referee: Was it fair}",
            "asks the referee, and the scenario has none",
        ),
        ("number: [10, 20]", "number: [20, 10]", "from low to high, found [20.0, 10.0]"),
        ("agreed_by: 2", "agreed_by: 9", "expected at most 4, as many speak, found 9"),
        (
            "voters: [Cleo, Dan]",
            "voters: [Cleo, Eve]",
            "values[1].voters[1]: unknown persona 'Eve'",
        ),
        ("after: 2, say", "after: 2, at: end, say", "found at and after"),
        (
            "Two have spoken.",
            "'{{texts.nope}}'",
            "no placeholder; known: {{players}}, {{texts.note}}",
        ),
        ("worth: {yes: 1, no: 0}", "worth: {yes: 1, maybe: 0}", "unknown option of 'fair' 'maybe'"),
        (
            "value: fair, worth: {yes: 1, no: 0}",
            "value: fair, points: 1",
            "'curve' beside 'value', found 'points'",
        ),
        (
            "scene: Market, points: 1",
            "scene: Market",
            "expected 'points' beside 'scene', found nothing",
        ),
        (
            "curve: [{at: 10, points: 4}, {at: 20, points: 0}]",
            "worth: {ten: 1}",
            "'price' is a number; write 'curve', not 'worth'",
        ),
        ("name: Dan", 'name: "\\u0410da"', "'Аda' looks like 'Ada', the name of personas[0]"),
        ("name: Dan", 'name: "A\\u0301da"', "looks like 'Ada', the name of personas[0]"),
        ("name: Dan", 'name: "R\\u0435feree"', "looks like 'Referee', which is the arena's own"),
        ("name: Cleo", 'name: "Cl\\u202eeo"', "expected a name on one line without spaces"),
        ("name: Dan", "name: 12", "personas[3].name: expected text, found 12"),
        ("role: buyer", 'role: "a\\x1b[31mred"', "without control characters, found '\\x1b'"),
        ("Two have spoken.", '"a\\nb\\x07"', "found '\\x07' in its line 2"),
        ("old * bicycle", "* * *", "expected words, * standing for any in between, found '* * *'"),
        ("timeout_turns: 4", "timeout_turns: 1001", "expected a number up to 1000, found 1001"),
        ("timeout_turns: 4", "timeout_turns: 1e400", "27: '1e400' is too large for a number"),
        ("{at: 10, points: 4}", "{at: .nan, points: 4}", "expected a number, found '.nan'"),
        ("[10, 20]", "[.inf, 20]", "values[0].number[0]: expected a number, found '.inf'"),
        ("[10, 20]", "[1, 2, 3]", "values[0].number: expected at most 2 of them, found 3"),
        ("role: buyer", "role: !!python/name:os.system", "10: the tag"),
        ("role: buyer", "role: a\n    role: b", "the key 'role' occurs twice; the first is in"),
        ("    team: street\n  - name: Dan", "  - name: Dan", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    file = haggle(tmp_path, (before, after))
    if not said:
        load(file)
        return
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert said in str(raised.value)
    assert "haggle.yaml:" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty; expected a scenario (name, personas, scenes, ...)"),
        ("!!python/object/apply:os.system [ls]", "python/object/apply:os.system' is not allowed"),
        ("name: !!binary aGk=", "is not allowed; write plain data"),
        ("name: a\nname: b", "the key 'name' occurs twice; the first is in line 1"),
        (BOMB, "values once its aliases are written out"),
        ("[" * 200 + "]" * 200, "nested more than 50 deep"),
        ("name: " + "x" * 1_100_000, "longer than 1024 KiB"),
        ("name: 'a\\0b'\n".replace("'", '"'), "a NUL or half of a surrogate pair"),
        ("1: a", "expected a name before ':', found '1'"),
    ],
)
def test_hostile_files_are_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "haggle.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert said in str(raised.value)


def test_a_crowd_is_refused(tmp_path: Path) -> None:
    crowd = "".join(f"  - {{name: p{number}}}\n" for number in range(300))
    file = haggle(tmp_path, ("personas:\n", f"personas:\n{crowd}"))
    with pytest.raises(ConfigError, match=r"personas: expected at most 30 of them, found 304$"):
        load(file)


def test_a_text_stays_what_it_is(tmp_path: Path) -> None:
    said = "{{ config.items() }} {% for x in y %} {0.__class__} %s ${HOME} `id` <b> =1+1 @x"
    file = haggle(tmp_path, ("Two have spoken.", f"'{said}'"))
    found = load(file)
    assert found.filled(found.shape.narrator[0].say) == said


def test_patterns_are_no_regular_expressions() -> None:
    pattern, text = "a*" * 900 + "b", "a" * 4_000
    assert not words.said(pattern, text)
    assert not words.said("(a+)+$", text + "!")
    assert words.said("(a+)+$", "x (A+)+$ y")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "haggle.yaml"
    file.write_bytes(b"name: ok\nrole: \xff\xfe")
    with pytest.raises(ConfigError, match=r"haggle\.yaml:2: not UTF-8 text"):
        load(file)
    with pytest.raises(ConfigError, match="a folder; expected a scenario file"):
        load(tmp_path)
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in (tmp_path / "pipe.yaml", "/dev/zero", "a\0b"):
        with pytest.raises(ConfigError, match="expected a scenario file"):
            load(name)
    with pytest.raises(ConfigError, match=r"no such file; did you mean 'haggle\.yaml'"):
        load(tmp_path / "hagle.yaml")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../outside.txt", "leads out of the scenario's folder; copy the text beside this file"),
        ("/etc/hostname", "expected a path beside this file"),
        ("link.txt", "leads out of the scenario's folder"),
        ("nothing.txt", "no such file 'nothing.txt'"),
        (".", "is not a file with text"),
        ("empty.txt", "is empty"),
        ("binary.txt", "is not UTF-8 text"),
        ("huge.txt", "is longer than 1024 KiB"),
        ("bell.txt", "expected text without control characters, found '\\x07' in its line 2"),
        ("pipe.txt", "is not a file with text"),
        ("zero.txt", "leads out of the scenario's folder"),
        ("~root/.profile", "no such file"),
        ("sub/../../outside.txt", "leads out of the scenario's folder"),
    ],
)
def test_an_attached_text_stands_beside_its_scenario(tmp_path: Path, name: str, said: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("a secret of this machine")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "empty.txt").write_text("")
    (folder / "binary.txt").write_bytes(b"\xff")
    (folder / "bell.txt").write_text("ding\n\x07")
    os.mkfifo(folder / "pipe.txt")
    (folder / "zero.txt").symlink_to("/dev/zero")
    (folder / "huge.txt").write_text("x" * (2**20 + 1))
    file = haggle(folder, ("file: note.txt", f"file: {name}"))

    with pytest.raises(ConfigError) as raised:
        load(file)

    assert said in str(raised.value)
    assert re.search(r"haggle\.yaml:[67]", str(raised.value))
    assert "a secret of this machine" not in str(raised.value)


def test_a_copy_that_somebody_has_written_is_checked_like_a_file(tmp_path: Path) -> None:
    found = load(haggle(tmp_path))
    for copied, said in [
        (found.copied.replace('"Ada"', '"Narrator"', 1), "is the arena's own"),
        (
            found.copied.replace(NOTE, NOTE + '", "file": "/etc/hostname'),
            "expected either 'file' or 'text'",
        ),
        ("[" * 100_000, "is not JSON"),
        ("{", "is not JSON"),
    ]:
        with pytest.raises(ConfigError, match=said):
            restored(copied)


def test_what_a_text_says_is_never_filled_in_again(tmp_path: Path) -> None:
    file = haggle(tmp_path)
    (tmp_path / "note.txt").write_text("{{players}} {{texts.note}} {{7*7}} {% raw %}")

    said = load(file).filled("{{texts.note}}")

    assert said == "{{players}} {{texts.note}} {{7*7}} {% raw %}"
