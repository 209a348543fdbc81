"""Who is logged in at this machine."""

from __future__ import annotations

import getpass


def login_name() -> str | None:
    """The name of the login, None where nobody is logged in, as in some containers."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return None
