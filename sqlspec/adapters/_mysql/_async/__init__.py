"""What awaits, written once; ``_sync`` is generated."""
