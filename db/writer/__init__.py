"""How the recorder writes: connections, statements, batches, results."""
