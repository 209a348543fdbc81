"""What is set aside from the garbage collector, by us or by the program that imports us."""

from __future__ import annotations

import subprocess
import sys

# A process of its own: what is frozen is the process's.
PROGRAM = """
import gc
from arena.core.collector import is_set_aside, set_aside

told = [is_set_aside()]
gc.freeze()
told.append(is_set_aside())
gc.unfreeze()
told.append(is_set_aside())
set_aside()
told.append(is_set_aside())
print(told)
"""


def test_what_the_program_or_the_arena_set_aside_is_known() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[False, True, False, True]\n"
