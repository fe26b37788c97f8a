"""The source of both leaves; the twin is generated."""
