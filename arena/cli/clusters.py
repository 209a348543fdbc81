"""`--ray-address`, which also says what runs the games."""

from __future__ import annotations


def check_alone(ray_address: str | None, executor: str | None) -> None:
    """Raises UsageError where a cluster is named beside another executor than Ray's."""
    if ray_address is not None and executor not in (None, "ray"):
        from arena.core import UsageError

        raise UsageError(
            f"--ray-address names a cluster, found --executor {executor}: leave one of them out"
        )
