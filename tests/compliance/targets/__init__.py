"""Our own adapters, as they are declared to the compliance suite: by dialect, one file each."""

from __future__ import annotations

from tests.compliance.targets import postgres, sqlite

__all__ = ("ADAPTERS", "BY_NAME", "SERVER_OF")

ADAPTERS = [*postgres.ADAPTERS, *sqlite.ADAPTERS]
BY_NAME = {adapter.name: adapter for adapter in ADAPTERS}
SERVER_OF = {adapter.name: "postgres" for adapter in postgres.ADAPTERS}
"""Which server an adapter needs."""
