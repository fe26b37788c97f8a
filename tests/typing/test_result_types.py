"""What ``schema_type=`` makes of a result, for mypy and pyright (both strict). The asserts run as a test, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, assert_type
from uuid import UUID

import msgspec
from pydantic import BaseModel
from typing_extensions import TypedDict

from sqlspec.core.result import SQLResult
from sqlspec.core.rows import Shape

USERS = SQLResult("SELECT id FROM users", (Shape(("id",)), [(1,)], None, None))


@dataclass
class User:
    id: int


class Record(msgspec.Struct):
    id: int


class Model(BaseModel):
    id: int


class Named(NamedTuple):
    id: int


class Keyed(TypedDict):
    id: int


def test_rows_are_dicts_without_a_schema_type() -> None:  # R3
    assert_type(USERS.all(), list[dict[str, Any]])
    assert_type(USERS.one(), dict[str, Any])
    assert_type(USERS.one_or_none(), dict[str, Any] | None)
    assert_type(USERS.get_first(), dict[str, Any] | None)
    assert_type(USERS[0], dict[str, Any])
    assert_type(USERS[0:1], list[dict[str, Any]])
    assert_type(list(USERS), list[dict[str, Any]])
    assert_type(USERS.column_names, list[str])
    assert_type(USERS.rows_affected, int | None)


def test_a_schema_type_is_the_static_type() -> None:  # R3
    assert_type(USERS.all(schema_type=User), list[User])
    assert_type(USERS.one(schema_type=User), User)
    assert_type(USERS.one_or_none(schema_type=User), User | None)
    assert_type(USERS.get_first(schema_type=User), User | None)


def test_every_kind_of_class_is_inferred() -> None:  # R3
    assert_type(USERS.one(schema_type=Record), Record)
    assert_type(USERS.one(schema_type=Model), Model)
    assert_type(USERS.one(schema_type=Named), Named)
    assert_type(USERS.one(schema_type=Keyed), Keyed)
    assert_type(USERS.one(schema_type=dict[str, Any]), dict[str, Any])
    assert_type(USERS.all(schema_type=int), list[int])


def test_values_are_inferred() -> None:  # R7
    assert_type(USERS.scalar(), Any)
    assert_type(USERS.scalar(schema_type=int), int)
    assert_type(USERS.scalar_or_none(schema_type=int), int | None)
    other = SQLResult("SELECT 1 WHERE false", (Shape(("id",)), [], None, None))
    assert_type(other.scalar_or_none(schema_type=UUID), UUID | None)


def test_unions_are_accepted() -> None:
    """A union is no class for a type checker; at run time it is a type like others."""
    assert USERS.scalar(schema_type=int | None) == 1
    assert USERS.all(schema_type=int | None) == [1]
    assert USERS.one(schema_type=int | None) == 1
