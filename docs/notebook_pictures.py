"""Draws the README's pictures of the notebooks: of each, what its cell `picture` shows.

Executes every notebook that has such a cell on a database in a temporary folder.
"""

from __future__ import annotations

import io
import shutil
import sys
from base64 import b64decode
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from PIL import Image

from tests.notebooks.executing import executed

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
WIDTH = 720  # pixels


def draw(png: bytes, file: Path) -> None:
    """A figure in the width of the README, with few colours."""
    with Image.open(io.BytesIO(png)) as image:
        wide, high = image.size
        fitted = image.convert("RGB").resize((WIDTH, round(WIDTH * high / wide)), Image.LANCZOS)
    fitted.quantize(64).save(file, optimize=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with TemporaryDirectory() as name:
        home = Path(name)
        shutil.copy(NOTEBOOKS / "village.yaml", home)
        for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
            if all(cell.id != "picture" for cell in nbformat.read(notebook, as_version=4).cells):
                continue
            cells = executed(notebook, home, f"sqlite:///{home / 'village.db'}")
            [output] = cells["picture"].outputs
            draw(b64decode(output.data["image/png"]), folder / f"{notebook.stem}.png")
