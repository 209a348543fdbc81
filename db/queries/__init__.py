"""The questions people ask; answered in plain rows, on a session that somebody else opened."""
