"""Plays games in worker processes, on every core; this process writes, rates and grants clearance.

A worker is `arena.executors.workers.body`, at the other end of a socket, with the environment that
its parent was started in.
"""
