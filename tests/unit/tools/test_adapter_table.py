"""tools/adapter_table.py: tables that say what the code says, and keep what was written by hand."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from sqlspec.core.options import COUNT, NONE, Kind, one_of
from sqlspec.testing.compliance import KINDS, Adapter
from tools import adapter_table

if TYPE_CHECKING:
    from pathlib import Path

TABLE = f"""before

{adapter_table.KEYS}
|---|---|---|---|
| `gone` | a text | its meaning | |
| `kept` | a wrong kind | by hand, with a \\| | `1` |

after
"""


def adapter(name: str, *can: str, **cannot: str) -> Adapter:
    return Adapter(
        name,
        config=lambda: pytest.fail("no driver is needed for a table"),
        database=lambda _: nullcontext({}),
        types=dict.fromkeys(KINDS, "TEXT"),
        sql={},
        can=frozenset(can),
        cannot=cannot,
    )


def row(text: str, name: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| `{name}`"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_adapters_that_declare_the_same_share_a_column() -> None:
    """Their colour is no capability of the database."""
    text = adapter_table.capabilities([adapter("a", "count"), adapter("b", "count", "async"), adapter("c")])
    assert text.startswith("| Capability | a, b | c |\n|---|---|---|\n")
    assert row(text, "count") == ["✓", "—"]
    assert "`async`" not in text


def test_reasons_are_numbered_notes() -> None:
    """One reason is one note, however often it is given."""
    text = adapter_table.capabilities(
        [
            adapter("a", kill="nobody can", pool="it has none"),
            adapter("b", "returning", kill="nobody can"),
        ]
    )
    assert row(text, "pool") == ["— <sup>1</sup>", "—"]
    assert row(text, "kill") == ["— <sup>2</sup>", "— <sup>2</sup>"]
    assert text.endswith("\n\n1. it has none.\n2. nobody can.")


def test_types_are_listed_by_kind() -> None:
    """As they are written in CREATE TABLE."""
    text = adapter_table.types([adapter("a"), adapter("b")])
    assert text.startswith("| Kind of value | a, b |\n")
    assert row(text, "uuid") == ["`TEXT`"]


def test_what_was_written_by_hand_stays() -> None:
    """Keys come and go, kinds follow the code, meanings and defaults stay."""
    filled = adapter_table.filled(
        TABLE, adapter_table.KEYS, {"kept": "a number", "new": "a text"}, {"new": "Says the TypedDict."}
    )
    assert filled.splitlines()[4:7] == [
        "| `kept` | a number | by hand, with a \\| | `1` |",
        "| `new` | a text | Says the TypedDict. | |",
        "",
    ]
    assert filled.endswith("\n\nafter\n")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (COUNT | NONE, "a whole number, 0 or more, or None"),
        (one_of("a", "b"), "one of `a`, `b`"),
        (Kind("a name (a URL belongs into dsn)", bool), "a name"),
        (None, "anything"),
    ],
)
def test_kinds_in_words(kind: Kind | None, words: str) -> None:
    """Without what belongs to error messages only."""
    assert adapter_table.kind_of(kind) == words


def test_typed_dicts_are_read_with_their_bases() -> None:
    """Keys in order, those of a base first, with what stands below them."""
    found = adapter_table.meanings("pymysql")
    assert next(iter(found)) == "dsn"
    assert found["pool_size"] == "The same as `max_size`."
    assert found["write_timeout"].startswith("Seconds that sending may be stuck")


def test_check_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It exits with 1 if there is something to write; without it, the pages are written, and then there is nothing."""
    page = tmp_path / "docs" / "adapters.md"
    page.parent.mkdir()
    old = "".join(f"<!-- generated: {name} -->\n\nold\n\n<!-- end -->\n" for name in ("capabilities", "types"))
    page.write_text(old)
    assert adapter_table.main(["--check"], page.parent) == 1
    assert page.read_text() == old
    assert capsys.readouterr().out == "docs/adapters.md is stale: run tools/adapter_table.py\n"
    assert adapter_table.main([], page.parent) == 0
    assert "\nold\n" not in page.read_text()
    assert row(page.read_text(), "uuid")
    assert adapter_table.main(["--check"], page.parent) == 0
    assert capsys.readouterr().out == "wrote adapters.md\n"
