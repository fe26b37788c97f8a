"""The compliance suite: what the same code means on every database, as tests that any adapter can be put through.

    pytest -p sqlspec.testing.compliance.plugin --pyargs sqlspec.testing.compliance --sqlspec-adapters mine:ADAPTERS

``docs/adding-an-adapter.md`` shows how an ``Adapter`` is declared. The tests name the rules that they hold.
"""

from sqlspec.testing.compliance.adapter import BREAKS, KINDS, PHRASES, Adapter, Database, where
from sqlspec.testing.compliance.capabilities import CAPABILITIES

__all__ = ("BREAKS", "CAPABILITIES", "KINDS", "PHRASES", "Adapter", "Database", "where")
