"""The wheel, built once, and an environment that has it among the locked packages."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.setup.shell import ROOT, clean_environment


@dataclass(frozen=True, slots=True)
class Installed:
    """A fresh environment: where its commands and its packages are."""

    bin: Path
    packages: Path

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment(self.bin)

    def install(self, wheel: Path) -> None:
        """As pip installs a wheel when everything that it depends on is there."""
        command = ["-m", "pip", "--python", str(self.bin / "python"), "install", "--quiet"]
        options = ["--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
        subprocess.run([sys.executable, *command, *options], check=True)


def build(project: Path, folder: Path, target: str = "wheel") -> Path:
    """The file that the build backend makes of a project, in `folder`."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=project, check=True, capture_output=True,
    )  # fmt: skip
    [built] = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel among the locked packages, and no checkout in sight."""
    home = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    found = Installed(home / "bin", Path(sysconfig.get_path("purelib", vars={"base": str(home)})))
    # Only .pth files of the environment itself are obeyed: not the checkout's own one.
    (found.packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    found.install(wheel)
    return found
