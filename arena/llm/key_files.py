"""Reads keys from files: one key in a file, which nobody but its owner may read."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from arena.core import UsageError

_LONGEST = 16 * 1024  # bytes; no key is longer
# Mounted by whoever started the container, readable within it alone.
_MOUNTED = Path("/run/secrets")


def read_key(path: str, whose: str) -> str:
    """The key in a file, read now, without the line break at its end. Raises UsageError for a file
    that is not there, is no plain file, may be read or written by others, or holds no key; nothing
    of what it holds is repeated."""
    file, quoted = Path(path), shlex.quote(path)
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UsageError(f"{whose} has its key in {path}, which is no plain file")
            _check_mode(file, found.st_mode, whose, quoted)
            held = stream.read(_LONGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{whose} has its key in {path}, which cannot be read ({error.strerror}): write the "
            f"key into it, and type: chmod 600 {quoted}"
        ) from error
    try:
        key = held.decode("ascii").strip()
    except UnicodeDecodeError:
        key = ""
    if not key or len(held) > _LONGEST or not key.isprintable() or " " in key:
        raise UsageError(
            f"{whose} has its key in {path}, which holds none: expected the key alone, in one line"
        )
    return key


def _check_mode(file: Path, mode: int, whose: str, quoted: str) -> None:
    others = stat.S_IMODE(mode) & 0o077
    if file.is_relative_to(_MOUNTED):
        others &= 0o022
    if os.name != "nt" and others:
        raise UsageError(
            f"{whose} has its key in {file}, which others on this machine may read or write "
            f"(mode {stat.S_IMODE(mode):o}); type: chmod 600 {quoted}"
        )
