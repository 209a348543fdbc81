"""An environment, a kind, a matchmaker, a provider and a command from a stranger's package."""
