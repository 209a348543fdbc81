"""The transcripts of archived games: Parquet files outside of the database, a game to a row group.

What was said and sent in a game leaves the database row by row, as it is stored, and comes back to
the last bit (`db.maintenance.prune`); whoever reads a game (`db.queries.transcript`,
`db.payloads`) is given the rows of its file in their place.
"""
