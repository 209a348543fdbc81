"""Reads the prompts' files of a tournament: text beside the tournament's file, and nothing else.

A tournament file may come from a stranger, and a prompt is sent to a provider: a path that leaves
the folder would let the file carry away whatever this account can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.config.errors import Problem, nearest
from arena.core import UsageError

MAX_BYTES = 1024 * 1024


def read_prompts(data: Any, folder: Path) -> tuple[dict[int, str], list[Problem]]:
    """The texts of the prompts that name a file, by their place in the list, and what is wrong
    with the others. `data` is the whole file, not yet validated."""
    texts: dict[int, str] = {}
    problems: list[Problem] = []
    prompts = data.get("prompts") if isinstance(data, Mapping) else None
    for index, prompt in enumerate(prompts if isinstance(prompts, list | tuple) else ()):
        name = prompt.get("file") if isinstance(prompt, Mapping) else None
        if not isinstance(name, str) or not name:
            continue
        try:
            texts[index] = text_beside(folder, name)
        except UsageError as error:
            problems.append(Problem(("prompts", index, "file"), f"prompts[{index}].file: {error}"))
    return texts, problems


def text_beside(folder: Path, name: str, noun: str = "prompt", whose: str = "tournament") -> str:
    """The text of a file beside another one; `noun` is what it holds. Raises UsageError."""
    if "\0" in name or Path(name).is_absolute():
        raise UsageError(f"expected a path beside this file, found {name!r}")
    file = folder / name
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                f"{name!r} leads out of the {whose}'s folder; copy the {noun} beside this file"
            )
        if not file.exists():
            raise UsageError(f"no such file {name!r}{_near(file)}")
        if not file.is_file():
            raise UsageError(f"{name!r} is not a file with text")
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{name!r} cannot be read: {error.strerror or error}") from None
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{name!r} is longer than {MAX_BYTES // 1024} KiB")
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageError(f"{name!r} is not UTF-8 text; save it as UTF-8") from None
    if not text.strip():
        raise UsageError(f"{name!r} is empty")
    if "\0" in text:
        raise UsageError(f"{name!r} holds a NUL byte; expected text")
    return text


def _near(file: Path) -> str:
    if not file.parent.is_dir():
        return ""
    hint = nearest(file.name, [found.name for found in file.parent.iterdir()])
    return hint if "did you mean" in hint else ""
