"""tools/unasync.py: the twin says in sync what its source says in async, on the same lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import unasync

if TYPE_CHECKING:
    from pathlib import Path

EVERY_RULE = '''"""A module."""
from sqlspec._async.pool import AsyncPool
from sqlspec.concurrency import async_settled


class Stream:
    async def __aenter__(self): ...
    async def __aexit__(self, *_): ...
    def __aiter__(self): ...
    async def __anext__(self):
        raise StopAsyncIteration
'''


def converted(source: str) -> str:
    """The twin of one text, without the mark on its first line."""
    twin = unasync.Unasync().convert(f"# first\n{source}", "sqlspec/_async/x.py")
    return twin.partition("\n")[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    source = tmp_path / "sqlspec" / "_async" / "deep" / "stream.py"
    source.parent.mkdir(parents=True)
    source.write_text(EVERY_RULE)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "twin"),
    [
        ("async def f(): pass", "def f(): pass"),
        ("async  def f(): pass", "def f(): pass"),
        ("x = (await f()).y", "x = (f()).y"),
        (
            "async def f(): return [await g(x) async for x in y if await h(x)]",
            "def f(): return [g(x) for x in y if h(x)]",
        ),
        ("from sqlspec._async.driver import AsyncDriver as D", "from sqlspec._sync.driver import SyncDriver as D"),
        (
            "_AsyncThing, __async_thing, Async, asynchronous, my_async",
            "_SyncThing, __sync_thing, Async, asynchronous, my_async",
        ),
        ('__all__ = ("AsyncPool", "async_owner")', '__all__ = ("SyncPool", "sync_owner")'),
        (
            "x = 1  # see AsyncPool, `async with pool:` and `await pool.get()`",
            "x = 1  # see SyncPool, `with pool:` and `pool.get()`",
        ),
        ("# an async program may await the answer", "# an async program may await the answer"),
        ("f'{AsyncPool} {x!r:>{w}} {{AsyncLock}}'; AsyncRow", "f'{SyncPool} {x!r:>{w}} {{SyncLock}}'; SyncRow"),
        ("f'{f\"{AsyncPool}\"}'", "f'{f\"{SyncPool}\"}'"),
        ("'äöü', AsyncPool, await_me, 'ß'", "'äöü', SyncPool, await_me, 'ß'"),
    ],
)
def test_each_form_becomes_its_sync_form(source: str, twin: str) -> None:
    assert converted(source + "\n") == twin + "\n"


def test_strings_over_several_lines_keep_their_lines() -> None:
    source = "def f():\n    '''AsyncPool\n    async with db:\n        await db.get()"
    source += "\n    '''; g('''\nAsyncRow\n''', AsyncRow)\n"
    twin = "def f():\n    '''SyncPool\n    with db:\n        db.get()\n    '''; g('''\nSyncRow\n''', SyncRow)\n"
    assert converted(source) == twin


@pytest.mark.parametrize(
    "text", ['"""Doc."""\nx = 1\n', "# comment\n", "import os\n", "", '"""Doc\n\nof lines.\n"""\n']
)
def test_the_mark_is_on_the_first_line_and_moves_no_line(text: str) -> None:
    twin = unasync.Unasync().convert(text, "sqlspec/_async/x.py")
    assert "GENERATED from sqlspec/_async/x.py by tools/unasync.py: do not edit" in twin.partition("\n")[0]
    assert twin.splitlines()[1:] == text.splitlines()[1:]


def test_a_module_keeps_its_docstring() -> None:
    namespace: dict[str, object] = {}
    exec(unasync.Unasync().convert('"""What it does."""\n', "sqlspec/_async/x.py"), namespace)
    assert str(namespace["__doc__"]).endswith("What it does.")


@pytest.mark.parametrize("name", ["asyncio", "Awaitable", "anext"])
def test_what_has_no_sync_form_is_an_error_with_its_place(name: str) -> None:
    with pytest.raises(SystemExit, match=rf"sqlspec/_async/x\.py:3: {name} has no sync form"):
        converted(f"\n{name}\n")


def test_a_twin_that_does_not_compile_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        converted("async def f():\n    return f'{await x}'\n")


def test_writes_twins_and_finds_them_fresh(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert unasync.main([], tree) == 0
    twin = tree / "sqlspec" / "_sync" / "deep" / "stream.py"
    assert "from sqlspec._sync.pool import SyncPool" in twin.read_text()
    assert len(twin.read_text().splitlines()) == len(EVERY_RULE.splitlines())
    assert unasync.main(["--check"], tree) == 0
    assert capsys.readouterr().out == "written: sqlspec/_sync/deep/stream.py\n"


def test_check_names_stale_twins_and_changes_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unasync.main([], tree)
    edited = tree / "sqlspec" / "_sync" / "deep" / "stream.py"
    orphan = tree / "sqlspec" / "_sync" / "gone.py"
    edited.write_text("x = 1\n")
    orphan.write_text("x = 1\n")
    capsys.readouterr()
    assert unasync.main(["--check"], tree) == 1
    said = capsys.readouterr().out
    assert "stale: sqlspec/_sync/deep/stream.py" in said
    assert "stale: sqlspec/_sync/gone.py" in said
    assert edited.read_text() == orphan.read_text() == "x = 1\n"


def test_a_twin_whose_source_is_gone_is_deleted(tree: Path) -> None:
    orphan = tree / "sqlspec" / "_sync" / "gone.py"
    orphan.parent.mkdir()
    orphan.write_text("x = 1\n")
    unasync.main([], tree)
    assert not orphan.exists()


def test_a_rule_that_matched_nothing_is_an_error(tree: Path) -> None:
    source = tree / "sqlspec" / "_async" / "deep" / "stream.py"
    source.write_text(EVERY_RULE.replace("__aiter__", "rows"))
    with pytest.raises(SystemExit, match="match nothing: __aiter__"):
        unasync.main([], tree)
    assert not (tree / "sqlspec" / "_sync").exists()


def test_the_twins_of_this_checkout_are_fresh() -> None:
    assert unasync.main(["--check"]) == 0
