"""A card says what was played and what came of it; whatever is changed afterwards, in the card or
on record, is found."""

import json
import shutil

import pytest
from sqlalchemy import text

from arena.analysis.archives import archive_tournament, import_archive
from arena.analysis.export.result_cards import check_card, write_card
from arena.core import UsageError
from db import get_session
from tests.cli.commands import TOURNAMENT, run_arena


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    place = tmp_path_factory.mktemp("carded")
    (place / "small.yaml").write_text(TOURNAMENT)
    db = place / "arena.db"
    done = run_arena("run", place / "small.yaml", "--db", db)
    assert done.exit_code == 0, done.stderr
    return db


@pytest.fixture(scope="module")
def card(played):
    file = played.parent / "card.json"
    write_card(file, played, tournament="small")
    return file


@pytest.mark.slow
def test_what_was_not_changed_fits(card, played):
    for alone in (True, False):
        found = check_card(card, played, alone=alone)
        assert (found.tournament, found.games) == ("small", 6)
        assert (found.problems, found.unchecked) == ((), ())


@pytest.mark.slow
def test_the_same_record_makes_the_same_card_elsewhere(card, played, database_url, tmp_path):
    archive_tournament(tmp_path / "small.zip", played, tournament="small")
    import_archive(tmp_path / "small.zip", database_url)
    assert check_card(card, database_url, alone=False).problems == ()
    write_card(tmp_path / "again.json", database_url, tournament="small")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads(card.read_text())


def forged(card, target, change):
    """The card with a change, and every hash of it made to fit."""
    from arena.analysis.export.result_cards import _sha256

    said = json.loads(card.read_text())
    change(said)
    said["games_sha256"], said["ratings_sha256"] = _sha256(said["games"]), _sha256(said["ratings"])
    said["sha256"] = _sha256({name: value for name, value in said.items() if name != "sha256"})
    target.write_text(json.dumps(said))
    return target


def test_a_card_that_was_changed_is_found_without_the_database(card, tmp_path):
    said = json.loads(card.read_text())
    said["ratings"][0][1] += 1
    (tmp_path / "changed.json").write_text(json.dumps(said))
    problems = check_card(tmp_path / "changed.json", alone=True).problems
    assert "it was changed after it was written" in problems
    assert "its ratings are not those of its hash" in problems
    assert "its ratings do not follow from its games" in problems


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda said: said["ratings"][0].__setitem__(1, 99.0), "do not follow from its games"),
        (lambda said: said["games"].pop(), "do not follow from its games"),
        (lambda said: said["tournament"]["config"].update(seed=4), "not that of its hash"),
        (lambda said: said["games"][0]["seats"].append([9]), "not as those of a card are"),
        (lambda said: said["games"][0].pop("seats"), "not as those of a card are"),
    ],
)
def test_a_forger_who_makes_every_hash_fit_is_found_by_the_ratings(card, tmp_path, change, found):
    file = forged(card, tmp_path / "forged.json", change)
    assert found in " ".join(check_card(file, alone=True).problems)


def test_a_forger_who_makes_the_ratings_fit_is_found_by_the_record(card, played, tmp_path):
    file = forged(card, tmp_path / "forged.json", lambda said: said["games"][0].update(record="0"))
    assert check_card(file, alone=True).problems == ()
    (problem,) = check_card(file, played, alone=False).problems
    assert problem == "the record of game 0 of the schedule, attempt 0, is another"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE game_turns SET action = 'x' WHERE game_id = 2", "is damaged"),
        ("UPDATE game_turns SET invalid = 1 WHERE game_id = 2", "the record of game 1"),
        ("UPDATE game_players SET rank = 1 - rank WHERE game_id = 3", "the result of game 2"),
        ("UPDATE agent_trueskill SET mu = mu + 1", "the ratings on record differ from its own"),
        ("UPDATE agents SET alias = 'Eve' WHERE alias = 'Ann'", "the agents on record differ"),
        ("DELETE FROM games WHERE id = 6", "game 5 of the schedule, attempt 0, is not on record"),
    ],
)
def test_a_record_that_was_changed_is_found(card, played, tmp_path, statement, found):
    shutil.copy(played, tmp_path / "changed.db")
    with get_session(tmp_path / "changed.db") as session:
        session.connection().execute(text(statement))
    problems = check_card(card, tmp_path / "changed.db", alone=False).problems
    assert found in " ".join(problems)


def test_a_file_that_is_no_card(tmp_path):
    for content in ("", "{}", "[1]", '{"format": "llm-arena result card"}', "[" * 100_000):
        (tmp_path / "other.json").write_text(content)
        with pytest.raises(UsageError, match="is no card: expected one of"):
            check_card(tmp_path / "other.json", alone=True)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        check_card(tmp_path / "none.json", alone=True)


def test_a_person_types_it(played, tmp_path):
    file = tmp_path / "card.json"
    done = run_arena("export", "--card", file, "--tournament", "small", "--db", played)
    assert done.exit_code == 0, done.stderr
    done = run_arena("verify-card", file, "--db", played)
    assert done.exit_code == 0
    assert done.stdout == "small: 6 games; the record is the one of the card\n"
    file.write_text(file.read_text().replace('"seed": 3', '"seed": 4'))
    done = run_arena("verify-card", file, "--alone")
    assert done.exit_code == 1
    assert "its configuration is not that of its hash" in done.stdout
