"""GENERATED from sqlspec/adapters/mysqlconnector/_async/__init__.py by tools/unasync.py: do not edit. The source of both leaves; the twin is generated."""
