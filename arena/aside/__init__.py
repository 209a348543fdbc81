"""What models are asked about games on record, beside the games: on record too, and in no game."""
