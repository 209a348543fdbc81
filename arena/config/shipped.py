"""The tournaments that come with the arena, by their bare names."""

from __future__ import annotations

from pathlib import Path

_ROOM = Path(__file__).parents[1]


def folder() -> Path:
    """Where they are: in the package when it is installed, beside it in a checkout."""
    packaged = _ROOM / "_configs"
    return packaged if packaged.is_dir() else _ROOM.parent / "configs"


def names() -> list[str]:
    """What there is, sorted: `quickstart`, ..."""
    return sorted(file.stem for file in folder().glob("*.yaml"))


def find(path: Path) -> Path:
    """The shipped file that a bare name means, unless a file of that name is here; every other
    path as it is."""
    shipped = folder() / f"{path}.yaml"
    bare = path.name == str(path) and not path.suffix
    return shipped if bare and not path.exists() and shipped.is_file() else path


def beside(path: Path) -> list[str]:
    """The names of the YAML files in a path's folder; none where it cannot be read."""
    try:
        return [file.name for file in path.parent.iterdir() if file.suffix in {".yaml", ".yml"}]
    except OSError:
        return []
