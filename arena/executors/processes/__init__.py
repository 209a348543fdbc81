"""Plays games in worker processes, on every core; this process writes, rates and grants clearance.

A worker plays tasks and exchanges plain data with its parent over one socket: what is to be
recorded, leave for calls, answers that are on record. Keys never pass: a worker has the environment
that its parent was started in.
"""
