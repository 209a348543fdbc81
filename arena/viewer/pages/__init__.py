"""A module a noun: the pages of it, each a path and the function that answers it."""
