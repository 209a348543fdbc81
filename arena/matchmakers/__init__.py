"""Matchmakers: who plays next. They see ratings and ids, never a database and never an agent."""
