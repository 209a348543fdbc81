"""`arena db backup`, `arena db restore` and `arena db verify` of a backup."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.commands import Arena
from torture.commands import Commands

RECORDED = Path(__file__).parent.parent / "recorded" / "arena.db.gz"


def test_an_older_backup_is_restored_as_it_was_and_upgraded(arena: Arena, tmp_path: Path) -> None:
    old, new = tmp_path / "arena.db", tmp_path / "new.db"
    old.write_bytes(gzip.decompress(RECORDED.read_bytes()))

    made = arena("db", "backup", "--keep", "1", "--db", old)
    assert made.exit_code == 0, made.stderr
    backup = Path(made.stdout.strip())
    assert backup.match(f"{tmp_path}/arena-0002-20??????T??????Z.db")
    assert "rows of revision 0002" in made.stderr
    done = arena("db", "restore", backup, "--db", new)

    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(f"{new}: ")
    assert "type `arena db upgrade`" in done.stderr
    assert arena("db", "upgrade", "--no-backup", "--db", new).exit_code == 0
    assert arena("db", "verify", "--db", new).exit_code == 0
    again = arena("db", "restore", backup, "--db", new)
    assert (again.exit_code, again.stdout) == (2, "")
    refused = arena("db", "copy", old, tmp_path / "copy.db")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "type `arena db upgrade`" in refused.stderr
    assert "holds rows, and nothing of them is overwritten" in again.stderr


def test_a_disk_that_fills_up_leaves_the_older_backups(
    arena: Arena, commands: Commands, played: str, tmp_path: Path
) -> None:
    first = arena("db", "backup", "--to", tmp_path, "--db", played)
    before = sorted(tmp_path.iterdir())

    full = commands.run(
        "db", "backup", "--to", tmp_path, "--keep", "1", "--db", played, largest_file=200_000
    )

    assert full.code == 2
    assert full.last_words.startswith("error: ")
    assert "cannot grow" in full.stderr
    assert sorted(tmp_path.iterdir()) == before
    assert arena("db", "restore", first.stdout.strip(), "--db", tmp_path / "a.db").exit_code == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_is_said_to_be_safe_where_nothing_was_left(
    kind: str, arena: Arena, played: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Nothing on a real filesystem, of a megabyte, which only root can mount."""
    source = played
    if kind == "postgresql":
        request.getfixturevalue("postgresql_client")
        source = str(request.getfixturevalue("postgresql_url"))
        assert arena("db", "copy", played, source).exit_code == 0
    backup = Path(arena("db", "backup", "--to", tmp_path, "--db", played).stdout.strip())
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no filesystem can be mounted here")
    try:
        copies = [("db", "copy", source, folder / "a.db"), ("db", "backup", "--to", folder)]
        copies[1] += ("--db", played)
        for asked in (*copies, ("db", "restore", backup, "--db", folder / "a.db")):
            full = arena(*asked)
            assert full.exit_code == 2
            assert "is full: free some space" in full.stderr
            assert "is safe" not in full.stderr
            assert "nothing was left there" in full.stderr
            assert [*folder.iterdir()] == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_of_a_backup_that_is_not_read_no_games_are_counted(
    arena: Arena, played: str, tmp_path: Path
) -> None:
    backup = Path(arena("db", "backup", "--to", tmp_path, "--db", played).stdout.strip())
    manifest = backup.with_name(f"{backup.name}.json")
    said, whole = manifest.read_text(), backup.read_bytes()

    backup.write_bytes(whole[:100_000])
    short = arena("db", "verify", backup)
    assert short.exit_code == 1
    assert "compared with its manifest; its rows were not read; not everything is" in short.stdout
    assert " 0 games" not in short.stdout

    # A manifest that says another revision than the tables have is not believed.
    backup.write_bytes(whole)
    revision = json.loads(said)["revision"]
    manifest.write_text(said.replace(f'"revision": "{revision}"', '"revision": "0002"'))
    other = arena("db", "restore", backup, "--db", tmp_path / "a.db")
    assert other.exit_code == 2
    assert f"its tables are of revision {revision}, and were of 0002" in other.stderr
    assert not (tmp_path / "a.db").exists()


def test_a_backup_is_verified_whole(arena: Arena, played: str, tmp_path: Path) -> None:
    made = arena("db", "backup", "--to", tmp_path, "--db", played)
    backup = Path(made.stdout.strip())
    before = sorted(tmp_path.iterdir())

    whole = arena("db", "verify", backup)

    assert whole.exit_code == 0, whole.stdout
    assert whole.stdout.splitlines()[2].split() == ["manifest", "0"]
    assert f"{backup}: 6 games, " in whole.stdout
    assert json.loads(arena("db", "verify", backup, "--json").stdout)["parts"]["texts"] == 0
    backup.write_bytes(backup.read_bytes()[:-1] + b"?")
    broken = arena("db", "verify", backup)
    assert broken.exit_code == 1
    assert "its bytes are not those that were written" in broken.stdout
    assert sorted(tmp_path.iterdir()) == before
