"""GENERATED from sqlspec/adapters/psycopg/_async/__init__.py by tools/unasync.py: do not edit. psycopg's async leaf, from which the sync one is generated."""
