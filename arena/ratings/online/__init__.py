"""Ratings that are updated game by game: what is stored live, and its rebuild."""
