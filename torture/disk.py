"""A disk that fills up while games are played, and one that may only be read.

Commands run in a mount namespace of their own, where a small file system is mounted that nobody
else sees and that goes with them; this process reaches it by way of theirs in /proc. That takes
root on Linux; elsewhere only the limited file of `torture.outages` is left.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from torture.commands import Commands
from torture.databases import file_of
from torture.harness import Harness
from torture.outages import ended_rows
from torture.rows import Row
from torture.scene import Scene
from torture.service import Service
from torture.verdict import Undisturbed

PART = "stop"
SIZE = 16 * 2**20
LEFT = 1_000_000  # bytes that are free when the run begins
_MOUNT = 'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'


def possible() -> bool:
    """Whether a file system can be mounted here that no other process sees."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    if not all(map(shutil.which, ("unshare", "nsenter", "mount"))):
        return False
    tried = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def rows(harness: Harness, service: Service, alone: Undisturbed) -> Iterator[Row]:
    place = harness.folder / "small"
    place.mkdir()
    inside = ["unshare", "--mount", "sh", "-c", _MOUNT.format(size=SIZE), str(place)]
    with Commands(harness.folder / "printed-small", harness.env, inside=inside) as commands:
        seen = Path(f"/proc/{commands.pid}/root{place}")
        yield from _full(harness, service, alone, commands, seen, place)
        yield from _read_only(harness, service, alone, commands, seen, place)


def _full(
    harness: Harness,
    service: Service,
    alone: Undisturbed,
    commands: Commands,
    seen: Path,
    place: Path,
) -> Iterator[Row]:
    scene = _scene(harness, service, commands, seen, place, "disk full")
    ballast = seen / "ballast"
    free = shutil.disk_usage(seen).free
    ballast.write_bytes(b"x" * (free - LEFT))
    ended = scene.start().wait()
    what = "disk full (a tmpfs)"
    yield from ended_rows(
        f"{scene.label}, {what}", ended.code, None, ended.stderr, ended.last_words
    )
    yield Row(
        PART,
        f"{scene.label}, {what}: requests made before",
        len(scene.books().requests),
        promised=1,
        bound="at least",
        note=f"{shutil.disk_usage(seen).free:,} bytes were free at the end",
    )
    ballast.unlink()
    yield scene.row_of(what, alone, scene.go_on())


def _read_only(
    harness: Harness,
    service: Service,
    alone: Undisturbed,
    commands: Commands,
    seen: Path,
    place: Path,
) -> Iterator[Row]:
    scene = _scene(harness, service, commands, seen, place, "read only")
    command = scene.start_and_wait(alone.census.calls.total() // 3)
    command.signal()
    command.wait()
    _remount(commands, place, "ro")
    file = seen / Path(scene.url).name
    before = file.read_bytes()
    ended = scene.start().wait()
    what = "read-only file system"
    name = f"{scene.label}, {what}"
    yield from ended_rows(name, ended.code, None, ended.stderr, ended.last_words)
    changed = before != file.read_bytes()
    yield Row(PART, f"{name}: files changed", changed, promised=0)
    _remount(commands, place, "rw")
    yield scene.row_of(what, alone, scene.go_on())


def _scene(
    harness: Harness, service: Service, commands: Commands, seen: Path, place: Path, name: str
) -> Scene:
    """A scene whose database is on the small file system. SQLite would follow the way to it in
    /proc back to this process's own files: it is read from a copy."""
    file = f"{name.replace(' ', '-')}.db"
    copied = harness.databases.fresh("sqlite", f"stop-{name.replace(' ', '-')}")
    copy = file_of(copied)
    shutil.copyfile(copy, seen / file)

    def readable() -> str:
        for end in ("", "-wal"):
            copy.with_name(f"{copy.name}{end}").unlink(missing_ok=True)
            if (seen / f"{file}{end}").exists():
                shutil.copyfile(seen / f"{file}{end}", copy.with_name(f"{copy.name}{end}"))
        copy.with_name(f"{copy.name}-shm").unlink(missing_ok=True)
        return copied

    url = f"sqlite:///{place / file}"
    return Scene(harness, service, PART, name, url=url, commands=commands, readable=readable)


def _remount(commands: Commands, place: Path, mode: str) -> None:
    entered = ["nsenter", f"--mount=/proc/{commands.pid}/ns/mnt"]
    subprocess.run([*entered, "mount", "-o", f"remount,{mode}", str(place)], check=True)
