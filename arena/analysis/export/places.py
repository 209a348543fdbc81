"""Where an export goes: a new folder, or a new file, that is there whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arena.core import UsageError


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `target` when the block ends, and is removed when it
    raises.

    Raises UsageError for a folder that is there and not empty, and where none can be made.
    """
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; expected the name of a new folder")
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(f"the folder {target} is not empty: give the name of a new one")
    with _beside(target) as partial:
        yield partial
        if target.is_dir():
            target.rmdir()
        partial.replace(target)


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A file to write to, which becomes `target` when the block ends, and is removed when it
    raises. Raises UsageError for a file that is there, and where none can be made."""
    if target.exists():
        raise UsageError(f"{target} is there already: give the name of a new file")
    with _beside(target) as partial:
        yield partial / target.name
        if target.exists():
            raise UsageError(f"{target} has been made meanwhile: give the name of a new file")
        (partial / target.name).replace(target)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    parent = target.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}-", dir=parent))
    except OSError as error:
        raise UsageError(
            f"{target} cannot be made: {error.strerror or error}; give another path"
        ) from error
    try:
        # As the person's other folders: what a temporary one is to nobody else, this is no more.
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o777 & ~mask)
        yield partial
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror or error}; nothing is left of it"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
