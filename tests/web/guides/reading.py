"""The code of the guides that started this project, as it stands in them, ready to be run by tests.

``starlette.md`` and ``fastapi.md`` are those guides, unchanged. Only the databases that their code names are replaced,
and the adapter, as they invite the reader to.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

ADAPTERS = {"asyncpg": "AsyncpgConfig", "psycopg": "PsycopgAsyncConfig", "asyncmy": "AsyncmyConfig"}
"""Adapters that the guides are tried with, and their configs."""


class Guide:
    """One guide.

    Args:
        name: ``"starlette"`` or ``"fastapi"``.
        dsn: What every PostgreSQL database in it becomes.
        folder: Where its files are put.
        adapter: What takes asyncpg's place.
        mysql_dsn: What every MySQL database in it becomes.
    """

    def __init__(self, name: str, dsn: str, folder: Path, adapter: str = "asyncpg", mysql_dsn: str = "") -> None:
        self.adapter = adapter
        self.mysql_dsn = mysql_dsn
        self.text = (HERE / f"{name}.md").read_text()
        self.dsn = dsn
        self.folder = folder

    def blocks(self, heading: str, occurrence: int = 0) -> list[str]:
        """The Python blocks under a heading, up to the next heading of any level."""
        sections = re.split(rf"^#+ {re.escape(heading)}$", self.text, flags=re.MULTILINE)[1:]
        section = re.split(r"^#+ .*$", _without_comments(sections[occurrence]), maxsplit=1, flags=re.MULTILINE)[0]
        return re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)

    def run(self, code: str, names: dict[str, Any]) -> dict[str, Any]:
        """Run one block with these names, as a reader who pastes it does; gives the names that there are then."""
        code = re.sub(r"postgresql://(localhost/\w+|\.\.\.)", lambda _: self.dsn, code)
        code = re.sub(r"mysql://localhost/\w+", lambda _: self.mysql_dsn, code)
        code = code.replace("analytics.db", str(self.folder / "analytics.db"))
        code = code.replace("adapters.asyncpg", f"adapters.{self.adapter}")
        code = code.replace("AsyncpgConfig", ADAPTERS[self.adapter])
        exec(compile(code, "<guide>", "exec"), names)
        return names


def _without_comments(text: str) -> str:
    """Lines of code that look like headings are not."""
    return re.sub(r"^# ", "#", text, flags=re.MULTILINE)
