"""Matchmakers: who plays next. They see standings and ids, never a database and never an agent."""
