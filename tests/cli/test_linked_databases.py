"""A database that is opened by a link to it is the same database."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.commands import Arena


def test_what_is_archived_by_a_link_is_read_without_it(
    arena: Arena, played: str, tmp_path: Path
) -> None:
    policy, link, file = tmp_path / "keep.yaml", tmp_path / "arena.db", tmp_path / "disk" / "a.db"
    policy.write_text("transcripts: 0\nlogs: never\n")
    file.parent.mkdir()
    shutil.copyfile(played.removeprefix("sqlite:///"), file)
    link.symlink_to(file)

    pruned = arena("db", "prune", "--policy", policy, "--yes", "--db", link)
    assert (pruned.exit_code, "archived 6 games" in pruned.stderr) == (0, True), pruned.stderr
    for place in (link, file):
        assert arena("show", 1, "--db", place).exit_code == 0
    assert arena("db", "verify", "--db", link).exit_code == 0
    # Where an earlier release has put them beside the link, they are read from there.
    (file.parent / "a.db-transcripts").rename(tmp_path / "arena.db-transcripts")
    assert arena("show", 1, "--db", link).exit_code == 0


def test_what_is_restored_to_a_link_lies_where_it_leads(
    arena: Arena, played: str, tmp_path: Path
) -> None:
    made = arena("db", "backup", "--to", tmp_path, "--db", played)
    backup, link, file = (
        Path(made.stdout.strip()),
        tmp_path / "arena.db",
        tmp_path / "disk" / "a.db",
    )
    file.parent.mkdir()
    link.symlink_to(file)

    assert arena("db", "restore", backup, "--db", link).exit_code == 0
    assert (link.is_symlink(), file.is_file()) == (True, True)
    assert [each.name for each in file.parent.iterdir()] == ["a.db"]
    again = arena("db", "copy", played, link)
    assert (again.exit_code, "holds rows" in again.stderr) == (2, True)

    # A backup stays as it was written, whatever leads to it.
    newest, before = tmp_path / "newest.db", backup.read_bytes()
    newest.symlink_to(backup)
    refused = arena("annotate", 1, "--rating", "3", "--db", newest)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "is a backup, which stays as it was written" in refused.stderr
    assert backup.read_bytes() == before
