"""Copies and backups of a database bring the transcripts of its archived games along."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.commands import Arena
from tests.conftest import Fresh

pytestmark = pytest.mark.usefixtures("postgresql_client")


@pytest.fixture
def archived(arena: Arena, played: str, tmp_path: Path) -> Path:
    """A file with six games, all of them archived."""
    file = tmp_path / "home" / "arena.db"
    file.parent.mkdir()
    shutil.copy(played, file)
    prune(arena, file)
    return file


def prune(arena: Arena, url: object, *more: object) -> None:
    policy = Path.cwd() / "at-once.yaml"
    policy.write_text("transcripts: 0\nlogs: never\n")
    done = arena("db", "prune", "--policy", policy, "--yes", *more, "--db", url)
    assert "archived 6 games" in done.stderr


def shown(arena: Arena, url: object) -> list[str]:
    """The first game and the last, as far as they can be read."""
    told = [arena("show", game, "--json", "--db", url) for game in (1, 6)]
    return [each.stdout or each.stderr for each in told]


def folder(file: Path) -> Path:
    return file.with_name(f"{file.name}-transcripts")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands are typed, where a server's transcripts are."""
    place = tmp_path / "typed"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def test_a_copy_of_either_kind_has_transcripts_of_its_own(
    arena: Arena, archived: Path, empty_postgresql_url: str, elsewhere: Path, tmp_path: Path
) -> None:
    before = shown(arena, archived)
    (name,) = (file.name for file in folder(archived).glob("*.parquet"))

    done = arena("db", "copy", archived, empty_postgresql_url)
    assert done.exit_code == 0, done.stderr
    shutil.rmtree(folder(archived))
    assert shown(arena, empty_postgresql_url) == before

    # A file of another database that lies where the copy's belongs is not written over.
    last = tmp_path / "last.db"
    folder(last).mkdir()
    (folder(last) / name).write_bytes(b"of another database")
    done = arena("db", "copy", empty_postgresql_url, last)
    assert done.exit_code == 0, done.stderr
    for place in elsewhere.glob("*-transcripts"):
        shutil.rmtree(place)
    assert shown(arena, last) == before
    assert (folder(last) / name).read_bytes() == b"of another database"
    assert arena("db", "verify", "--db", last).exit_code == 0

    lacking = arena("db", "copy", empty_postgresql_url, tmp_path / "lacking.db")
    assert lacking.exit_code == 1
    assert f"{name} is not there: put it back from a copy of its folder" in lacking.stderr
    assert "is not there: put the file back" in shown(arena, tmp_path / "lacking.db")[0]


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(
    request: pytest.FixtureRequest, arena: Arena, played: str, tmp_path: Path
) -> tuple[str, str, Path]:
    """A database with archived games, an empty one of its kind, and where the transcripts are."""
    if request.param == "sqlite":
        file = request.getfixturevalue("archived")
        return str(file), str(tmp_path / "new.db"), folder(file)
    source = str(request.getfixturevalue("empty_postgresql_url"))
    assert arena("db", "copy", played, source).exit_code == 0
    prune(arena, source, "--folder", tmp_path / "away")
    return source, str(request.getfixturevalue("second_url")), tmp_path / "away"


@pytest.fixture
def second_url(fresh_postgresql: Fresh) -> Iterator[str]:
    """Another empty database of the server."""
    with fresh_postgresql("template0") as url:
        yield url


def backed_up(arena: Arena, url: str, *more: object, code: int = 0) -> Path:
    made = arena("db", "backup", "--to", Path.cwd(), *more, "--db", url)
    assert made.exit_code == code, made.stderr
    return Path(made.stdout.strip())


def test_a_backup_is_restored_with_its_transcripts_and_keeps_each_once(
    arena: Arena, pair: tuple[str, str, Path], tmp_path: Path
) -> None:
    source, target, transcripts = pair
    before = shown(arena, source)
    backups = [backed_up(arena, source) for _ in range(2)]
    kept = [*Path("backup-transcripts").iterdir()]
    assert len(kept) == 1

    assert arena("db", "prune", "--undo", "--db", source).exit_code == 0
    backed_up(arena, source, "--keep", "2")
    assert kept[0].exists(), "the other backup that is kept needs it"
    shutil.rmtree(transcripts)
    verified = arena("db", "verify", backups[1])
    assert verified.exit_code == 0, verified.stdout
    done = arena("db", "restore", backups[1], "--db", target)
    assert done.exit_code == 0, done.stderr
    backed_up(arena, source, "--keep", "1")
    assert not Path("backup-transcripts").exists()
    assert shown(arena, target) == before
    assert arena("db", "verify", "--db", target).exit_code == 0


def test_transcripts_that_are_missing_are_named_and_the_rest_is_there(
    arena: Arena, archived: Path, tmp_path: Path
) -> None:
    backup = backed_up(arena, str(archived))
    (kept,) = Path("backup-transcripts").resolve().iterdir()
    good = kept.read_bytes()
    harms: list[tuple[Callable[[], object], str]] = [
        (lambda: kept.write_bytes(good[:-1] + b"?"), f"{kept} is not what was kept: put it back"),
        (kept.unlink, f"{kept} is not there: put it back"),
    ]
    for number, (harm, what) in enumerate(harms):
        harm()
        verified = arena("db", "verify", backup)
        assert verified.exit_code == 1
        assert what in verified.stdout
        assert ".verified-" not in verified.stdout
        new = tmp_path / f"new-{number}.db"
        done = arena("db", "restore", backup, "--db", new, "--json")
        assert (done.exit_code, what in done.stderr) == (1, True)
        assert what in json.loads(done.stdout)["lost_transcripts"][0]
        assert "is archived, and its transcript" in shown(arena, new)[0]
        assert arena("leaderboard", "--db", new).exit_code == 0

    # The next backup keeps anew what is no longer whole, and says what it cannot read.
    kept.write_bytes(good[:-1] + b"?")
    backed_up(arena, str(archived))
    assert kept.read_bytes() == good
    shutil.rmtree(folder(archived))
    lacking = backed_up(arena, str(archived), code=1)
    assert "could not be read when the backup was made" in arena("db", "verify", lacking).stdout


def test_a_restore_that_fails_leaves_no_transcripts(
    arena: Arena, archived: Path, tmp_path: Path
) -> None:
    backup = backed_up(arena, str(archived))
    manifest = backup.with_name(f"{backup.name}.json")
    told = json.loads(manifest.read_text())
    for changed, what in (
        ({"rows": told["rows"] | {"games": 7}}, "games has 6 rows, and had 7"),
        ({"transcripts": {"a.parquet": "../../etc/passwd"}}, "is no manifest of a backup"),
        ({"transcripts": ["a.parquet"]}, "is no manifest of a backup"),
    ):
        manifest.write_text(json.dumps(told | changed))
        (tmp_path / "new").mkdir(exist_ok=True)
        refused = arena("db", "restore", backup, "--db", tmp_path / "new" / "arena.db")
        assert (refused.exit_code, what in refused.stderr) == (2, True), refused.stderr
        assert [*(tmp_path / "new").iterdir()] == []
