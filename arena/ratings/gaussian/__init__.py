"""Normal distributions observed through orders of finish, by expectation propagation."""
