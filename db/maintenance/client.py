"""Runs PostgreSQL's own client programs, `pg_dump` and `pg_restore`, on a database of ours.

No password is on a command line, which every user of the machine can read: it is in the program's
environment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, Connection, text

from db.errors import DatabaseError, WriteFailed
from db.urls import shown, without_secrets

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def find_client(program: str, connection: Connection | None = None) -> str:
    """The path of an installed client program.

    Raises DatabaseError when there is none, or one that is older than the server of a connection.
    """
    found = shutil.which(program)
    wanted = None if connection is None else _server_version(connection)
    install = (
        f"install PostgreSQL's client (Debian: `apt install postgresql-client{_of(wanted)}`, macOS:"
        f" `brew install libpq`), or put the folder of {program} on the PATH"
    )
    if found is None:
        raise DatabaseError(f"there is no {program} here: {install}")
    if wanted is not None and (version := _version_of(found)) < wanted:
        raise DatabaseError(
            f"{found} is of PostgreSQL {version}, older than the server, which is of {wanted}: "
            f"{install}"
        )
    return found


def run_client(program: str, url: URL, arguments: Sequence[str]) -> None:
    """Run a client program on a database. Raises DatabaseError with what the program says, and
    WriteFailed for a full disk."""
    address, secrets = _address(url)
    done = subprocess.run(  # noqa: S603 (PostgreSQL's own program)
        [program, "--no-password", f"--dbname={address}", *arguments],
        env={**os.environ, **secrets},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode == 0:
        return
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    said = without_secrets(url, next((line for line in lines if "error" in line), "no reason"))
    name = Path(program).name
    said = said.removeprefix(f"{name}: ").removeprefix("error: ")
    if "No space left on device" in said:
        raise WriteFailed(f"the disk is full ({said}): free some space, then type the same again")
    raise DatabaseError(f"{name} fails with {shown(url)}: {said}")


def list_dump(program: str, file: Path) -> str | None:
    """What `pg_restore` finds wrong with the table of contents of a dump; None for nothing."""
    done = subprocess.run(  # noqa: S603
        [program, "--list", str(file)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason"]
    return None if done.returncode == 0 else said[0]


def _address(url: URL) -> tuple[str, dict[str, str]]:
    """How a client program is told where a database is: what may be seen, and variables."""
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import Conninfo

    _, keywords = url.get_dialect()().create_connect_args(url)
    options = {option.keyword.decode(): option for option in Conninfo.get_defaults()}
    secrets = {}
    for name in [*keywords]:
        option = options.get(name)
        if option is None or option.dispchar != b"*":
            continue
        if option.envvar is None:
            raise DatabaseError(
                f"{name} cannot be given to PostgreSQL's client without showing it to everybody: "
                "take it out of the URL, and use a key without a password"
            )
        secrets[option.envvar.decode()] = str(keywords.pop(name))
    return make_conninfo("", **keywords), secrets


def _server_version(connection: Connection) -> int:
    said = connection.execute(text("SHOW server_version_num")).scalar_one()
    return int(said) // 10_000


def _version_of(program: str) -> int:
    done = subprocess.run(  # noqa: S603
        [program, "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    found = _VERSION.search(done.stdout)
    if found is None:
        raise DatabaseError(f"{program} does not say of which PostgreSQL it is: install another")
    return int(found[1])


def _of(version: int | None) -> str:
    return "" if version is None else f"-{version}"
