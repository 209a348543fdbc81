"""The container file and the compose file hold what is safe to start, as far as reading tells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from arena.cli.app import app

ROOT = Path(__file__).parents[2]
# A version of an image: numbers, and what it is built on.
PINNED = re.compile(r"[\w./-]+:\d+(\.\d+)+(-[\w.-]+)?")


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Containerfile").read_text()
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def test_the_image_is_pinned_and_runs_as_nobody_special() -> None:
    found = instructions()

    bases = [said.split()[0] for name, said in found if name == "FROM"]
    assert bases
    assert all(PINNED.fullmatch(base) for base in bases), bases
    last = len(found) - 1 - [name for name, _ in found][::-1].index("FROM")
    final = dict(found[last:])
    user = final["USER"].partition(":")[0]
    assert user.isdigit()
    assert int(user) > 0
    assert final["ENTRYPOINT"] == '["arena"]'
    assert "HEALTHCHECK" in final
    # What is installed is what requirements.txt locks, and no key is ever part of an image.
    installs = [said for name, said in found if name == "RUN" and "pip install" in said]
    assert "--require-hashes" in installs[0]
    assert all("--no-deps" in said for said in installs[1:])
    assert not re.search(
        r"(?i)KEY|TOKEN|PASSWORD", str([s for n, s in found if n in ("ENV", "ARG")])
    )
    # Everything that is copied is there, and is let through to the build.
    let_through = (ROOT / ".dockerignore").read_text().splitlines()
    for name, said in found:
        if name == "COPY" and "--from" not in said:
            for source in said.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in let_through


def test_services_publish_nothing_beyond_this_machine(composed: dict[str, Any]) -> None:
    services = composed["services"]

    assert {*services} == {"postgres", "tables", "pages", "run"}
    for name, service in services.items():
        assert PINNED.fullmatch(service["image"]), name
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert "healthcheck" in service, name
        assert not service.get("privileged"), name
        assert service.get("network_mode") != "host", name
        # Secrets come from whoever starts it.
        for variable, value in service["environment"].items():
            if re.search("KEY|PASSWORD", variable):
                assert str(value).startswith("${"), (name, variable)
        if name != "postgres":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in composed["volumes"] or (ROOT / source).is_dir(), volume
        for other, when in service.get("depends_on", {}).items():
            assert other in services
            assert when["condition"] in ("service_healthy", "service_completed_successfully")
    assert services["pages"]["ports"] == ["127.0.0.1:8811:8811"]


def test_what_services_type_are_commands_with_options_of_theirs(composed: dict[str, Any]) -> None:
    root: Any = typer.main.get_command(app)

    for name in ("tables", "pages", "run"):
        words = composed["services"][name]["command"]
        command = root.get_command(None, words[0])
        while hasattr(command, "commands"):
            words = words[1:]
            command = command.commands[words[0]]
        context = command.make_context(words[0], [w for w in words[1:] if w not in LOGS])
        assert context.params, name
        if name == "run":
            assert (ROOT / str(context.params["config"]).lstrip("/")).is_file()


LOGS = ("--log-json", "-")
