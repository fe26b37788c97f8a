"""docs/web.md lists every option, and the outcomes as they are decided; its picture can be shown anywhere."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from sqlspec.config import FastAPIConfig, StarletteConfig
from sqlspec.extensions.outcome import WebOptions
from tests.docs.markdown import PAGES, ROOT, table

PAGE = ROOT / "docs" / "web.md"

PICTURES = [
    (page, alt, (page.parent / place).resolve())
    for page in PAGES
    for alt, place in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", page.read_text())
]


def test_every_option_is_listed() -> None:
    """And no other."""  # W2
    listed = [row[0].strip("`") for row in table(PAGE, "Option", "Options")]
    assert set(listed) == StarletteConfig.__optional_keys__ == FastAPIConfig.__optional_keys__


def test_the_table_of_outcomes_is_what_is_decided() -> None:
    """For the first and the last status of each column."""  # W12
    rows = table(PAGE, "Mode", "Outcomes")
    assert len(rows) == 3
    columns = ((200, 299), (300, 399), (199, 400, 599))
    for mode, *outcomes in rows:
        options = WebOptions(commit_mode=mode.split('"')[1])  # type: ignore[arg-type]
        for statuses, outcome in zip(columns, outcomes, strict=False):
            for status in statuses:
                assert options.is_commit(status, rollback_only=False) is (outcome == "commit"), (mode, status)
                assert not options.is_commit(status, rollback_only=True)
        assert outcomes[-1] == "roll back"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: str(picture[2].relative_to(ROOT)))
def test_pictures(picture: tuple[object, str, object]) -> None:
    """Each is there, says in words what it shows, runs nothing and fetches nothing."""
    page, alt, place = picture
    assert alt.strip(), page
    text = (ROOT / str(place)).read_text()
    root = ET.fromstring(text)
    assert root.find("{*}title") is not None
    assert root.find("{*}desc") is not None
    assert "<script" not in text
    assert re.findall(r"(?:href|url\()\s*[=\"']*\s*(\S+)", text) == []


def test_there_is_a_picture_of_a_request() -> None:
    """Else the test above would look at nothing."""
    assert [alt for page, alt, _ in PICTURES if page == PAGE] != []
