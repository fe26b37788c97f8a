"""GENERATED from sqlspec/adapters/_mysql/_async/__init__.py by tools/unasync.py: do not edit. What awaits, written once; ``_sync`` is generated."""
