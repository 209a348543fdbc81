"""What a person does to a database as a whole: copies of it, and other tables for it."""
