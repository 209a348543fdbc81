"""People as agents: the kind `human`, and the provider of its model, which sends nothing."""
