"""GENERATED from sqlspec/_async/__init__.py by tools/unasync.py: do not edit. The shell, written once: everything that awaits. ``sqlspec/_sync`` is generated from it by ``tools/unasync.py``."""
