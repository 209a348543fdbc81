"""What a game, a tournament or an agent says, as plain data for commands, pages and notebooks."""
