"""Everything between an agent and a model: one client, its retries, and the scripted models."""
