"""The table of adapters and groups of rules, as text. Pure."""

from __future__ import annotations

from collections import Counter

__all__ = ("GROUPS", "Tally")

GROUPS = {
    "test_transaction_rules": "S transactions",
    "test_fault_rules": "S losses",
    "test_session_state": "S sessions",
    "test_registry_rules": "S sessions",
    "test_task_rules": "S tasks",
    "test_statement_rules": "P statements",
    "test_type_rules": "P types",
    "test_result_rules": "R results",
    "test_stream_rules": "R streams",
    "test_error_rules": "E errors",
    "test_connect_rules": "E connecting",
}
"""The group of rules that a module holds."""


class Tally:
    """How many tests passed, failed, and were left out for want of a capability; by adapter and group."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def count(self, adapter: str, group: str, outcome: str) -> None:
        """One more: ``passed``, ``failed`` or ``left out``."""
        self._counts.setdefault((adapter, group), Counter())[outcome] += 1

    def text(self) -> str:
        """Rows of adapters, columns of groups: ``41``, ``41 -3`` where 3 were left out, ``40 FAILED 1``."""
        adapters = list(dict.fromkeys(adapter for adapter, _ in self._counts))
        known = dict.fromkeys(GROUPS.values())
        groups = [group for group in [*known, "others"] if any(group == found for _, found in self._counts)]
        rows = [["", *groups]]
        rows += [[adapter, *(self._cell(adapter, group) for group in groups)] for adapter in adapters]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.append("Passed; -n: needs a capability that the adapter does not declare (docs/adapters.md).")
        return "\n".join(lines)

    def _cell(self, adapter: str, group: str) -> str:
        counts = self._counts.get((adapter, group), Counter())
        words = [str(counts["passed"])]
        if counts["failed"]:
            words.append(f"FAILED {counts['failed']}")
        if counts["left out"]:
            words.append(f"-{counts['left out']}")
        return " ".join(words)
