"""The questions people ask; answered in plain rows, on a session that the caller opened."""
