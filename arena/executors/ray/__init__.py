"""Plays games in the workers of a Ray cluster; only this room imports Ray.

Ray starts the workers, gives them resources and carries messages. A worker is
`arena.executors.workers.body`, which records its games in the PostgreSQL database itself; this
process rates and grants clearance.
"""
