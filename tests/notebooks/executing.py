"""Notebooks, executed by the interpreter that runs the tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

_FOLDERS = ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR")


def executed(notebook: Path, folder: Path, database: str) -> dict[str, Any]:
    """The cells of a notebook by their ids, after they ran in `folder` on a database: its URL.

    A cell that raises raises here.
    """
    environment = {
        **os.environ,
        **{name: str(folder / name.lower()) for name in _FOLDERS},
        "ARENA_DATABASE_URL": database,
    }
    # The kernel's own way of showing figures, whatever is set around the tests.
    environment.pop("MPLBACKEND", None)
    # Without the folders of installed kernels only the interpreter's own one is left.
    manager = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[])
    )
    assert manager.kernel_spec.argv[0] == sys.executable
    content = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        content, km=manager, timeout=300, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=environment, cleanup_kc=True)
    return {cell.id: cell for cell in content.cells}


def streamed(cells: Iterable[Any], name: str) -> list[str]:
    """What cells wrote to stdout or stderr."""
    return [
        output.text
        for cell in cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == name
    ]
