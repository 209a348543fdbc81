"""What executors share whose games are played elsewhere: the worker's body and its parent's side.

A worker plays tasks and exchanges plain data with its parent: what is to be recorded, leave for
calls, answers that are on record. Neither side knows how messages reach the other, and keys never
pass: a worker has the environment that it was started in.
"""
