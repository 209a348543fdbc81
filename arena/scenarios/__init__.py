"""Scenarios: games that a person writes as a YAML file, without Python.

A file names personas, scenes, what a narrator says when, the values that the parties may settle,
and what counts for whom. Nothing in it is run: no expression, no template language, no code.
"""
