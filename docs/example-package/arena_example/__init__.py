"""An environment, a kind and a matchmaker from a stranger's package."""
