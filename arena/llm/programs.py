"""Which programs may be started: those that the user has allowed, each in its folder.

A tournament file or a database may be a stranger's, and names a program of this machine. What is
allowed is in a file of the user's beside that of the keys (`programs.json`), never in a database.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.core import UsageError
from arena.llm.key_places import allowed_file
from arena.llm.private_files import write_private


@dataclass(frozen=True, slots=True, order=True)
class AllowedProgram:
    """A command, as the list of its words, and the folder that it may be started in: the same words
    are another program elsewhere."""

    folder: str
    command: tuple[str, ...]


def allowed_programs() -> list[AllowedProgram]:
    """What is allowed, sorted. Raises UsageError for a file that cannot be read."""
    file = _file()
    try:
        found = json.loads(file.read_text("utf-8"))
        known = [AllowedProgram(str(folder), tuple(map(str, words))) for folder, words in found]
        return sorted(known)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{file} cannot be read ({error}): it lists the programs that may be started; mend it "
            "or remove it"
        ) from error


def allow_program(command: Sequence[str]) -> AllowedProgram:
    """Allow a command in this folder from now on. Raises UsageError where the file cannot be
    written."""
    program = AllowedProgram(str(Path.cwd()), tuple(command))
    _write({*allowed_programs(), program})
    return program


def forget_program(command: Sequence[str]) -> bool:
    """Take a command back in this folder; whether it was allowed."""
    program, known = AllowedProgram(str(Path.cwd()), tuple(command)), {*allowed_programs()}
    if program in known:
        _write(known - {program})
    return program in known


def check_allowed(command: Sequence[str], whose: str) -> None:
    """Raises UsageError, with what allows it, for a command that may not be started here."""
    if AllowedProgram(str(Path.cwd()), tuple(command)) not in allowed_programs():
        raise UsageError(
            f"{whose} would start a program on this machine, and nobody has allowed it in this "
            f"folder: if you trust it, type: arena programs add -- {ascii_words(command)}"
        )


def ascii_words(command: Sequence[str]) -> str:
    """The command as it is typed, with nothing in it that a terminal would mind."""
    return shlex.join(word if word.isprintable() else ascii(word) for word in command)


def _file() -> Path:
    return allowed_file().with_name("programs.json")


def _write(programs: set[AllowedProgram]) -> None:
    write_private(_file(), ((each.folder, each.command) for each in sorted(programs)))
