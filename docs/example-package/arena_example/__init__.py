"""An environment, a kind, a matchmaker and a command from a stranger's package."""
