"""What the exceptions of asyncmy, aiomysql and pymysql tell: E1 E2."""

from __future__ import annotations

from typing import Any

import pytest
from asyncmy.errors import OperationalError as AsyncmyError
from pymysql.err import InterfaceError, OperationalError

from sqlspec import exceptions as e
from sqlspec.adapters import load_config
from sqlspec.adapters._mysql.literals import UnsendableError

FAMILY = pytest.mark.parametrize("name", ["asyncmy", "aiomysql", "pymysql"])


def wire_of(name: str) -> Any:
    return load_config(name)(pool_config={"host": "db"}).wire


@FAMILY
@pytest.mark.parametrize("error", [AsyncmyError, OperationalError])
def test_number_and_text(name: str, error: type[Exception]) -> None:
    """As (number, text), without values."""  # E1
    facts = wire_of(name).read_error(error(1062, "Duplicate entry 'geheim' for key 'PRIMARY'"))
    assert (facts.code, facts.constraint, facts.from_client) == (1062, "PRIMARY", False)
    assert "geheim" not in facts.message


@FAMILY
@pytest.mark.parametrize(
    "told", [(0, ""), (0, "Not connected"), ("(0, 'Not connected')",), ("Cancelled: not connected",)]
)
def test_a_closed_connection_is_a_lost_one(name: str, told: tuple[Any, ...]) -> None:
    """However the driver says so."""  # E2
    wire = wire_of(name)
    facts = wire.read_error(InterfaceError(*told))
    assert wire.dialect.classify(facts) is e.ConnectionLostError
    assert facts.message


@FAMILY
def test_a_value_that_was_not_sent(name: str) -> None:
    """The open transaction is as good as before."""  # S14 E2
    wire = wire_of(name)
    facts = wire.read_error(UnsendableError("a value of type object has no form in SQL"))
    assert facts.from_client
    assert wire.dialect.classify(facts) is e.DataError


def test_aiomysql_tells_why_a_server_can_not_be_reached() -> None:
    """It leaves that to the exception's cause."""  # E4
    error = OperationalError(2003, "Can't connect to MySQL server on 'db'")
    error.__cause__ = OSError("Connect call failed")
    assert wire_of("aiomysql").read_error(error).message == (
        "Can't connect to MySQL server on 'db' (Connect call failed)"
    )
