"""psycopg's async leaf, from which the sync one is generated."""
