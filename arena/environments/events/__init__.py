"""What happens in the games of TextArena, told as typed events: one file a family of games."""
