"""The shell, written once: everything that awaits. ``sqlspec/_sync`` is generated from it by ``tools/unasync.py``."""
