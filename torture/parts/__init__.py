"""The parts: each `run(harness, toy=False)` gives rows."""
