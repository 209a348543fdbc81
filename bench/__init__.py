"""Measures what the arena promises, as ratios to a baseline measured in the same run.

    python -m bench [PART ...] [--json | --markdown] [--toy | --record]
    python -m bench --history

Nothing here is timed by the tests, and nothing here is installed.
"""
