"""The Flight SQL server of the tests, through the ADBC driver: unless it keeps the protocol, it proves no adapter."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any

import adbc_driver_manager as adbc
import pytest
from adbc_driver_flightsql import DatabaseOptions

from tests.support.flightsql import HEADER, FlightSQLServer, temporary_flightsql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Open = Callable[..., Any]

connect: Any = import_module("adbc_driver_flightsql.dbapi").connect  # most of its types are unknown


@pytest.fixture(scope="module")
def server() -> Iterator[FlightSQLServer]:
    with temporary_flightsql() as server:
        yield server


@pytest.fixture
def opened(server: FlightSQLServer) -> Iterator[Open]:
    """Opens connections to a database of the test's own."""
    connections: list[Any] = []
    with server.temporary_database() as options:

        def opened(*, autocommit: bool = True, **more: str) -> Any:
            connections.append(connect(server.uri, db_kwargs={**options, **more}, autocommit=autocommit))
            return connections[-1]

        yield opened
        for connection in connections:
            connection.close()


def rows(connection: Any, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def told(connection: Any, sql: str) -> int:
    """Without preparing it."""
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_sql_query(sql)
        return int(cursor.adbc_statement.execute_update())


def test_a_query_has_names_and_values_and_none_where_there_are_no_rows(opened: Open) -> None:
    connection = opened()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 AS a, 'ä' AS b, NULL::int AS a")
        assert [column[0] for column in cursor.description or ()] == ["a", "b", "a"]
        assert cursor.fetchall() == [(1, "ä", None)]
        cursor.execute("SELECT 1 AS a WHERE false")
        assert [column[0] for column in cursor.description or ()] == ["a"]
        assert cursor.fetchall() == []


def test_parameters_go_by_position(opened: Open) -> None:
    connection = opened()
    assert rows(connection, "SELECT ? + 1, ?", (1, "x")) == [(2, "x")]
    assert rows(connection, "SELECT $2, $1", (1, "x")) == [("x", 1)]


def test_a_prepared_statement_tells_its_columns_and_parameters(opened: Open) -> None:
    connection = opened()
    with connection.cursor() as cursor:
        assert cursor.adbc_prepare("SELECT $2::int, $1::text").names == ["1", "2"]
        assert cursor.adbc_execute_schema("SELECT 1 AS a, 'x' AS a").names == ["a", "a"]
    with pytest.raises(connection.Error, match="nowhere"):
        rows(connection, "SELECT * FROM nowhere WHERE false")


def test_changed_rows_are_counted(opened: Open) -> None:
    connection = opened()
    assert told(connection, "CREATE TABLE t (a int PRIMARY KEY, b text)") == -1
    assert told(connection, "INSERT INTO t VALUES (1, 'x'), (2, 'x')") == 2
    assert told(connection, "UPDATE t SET b = 'y'") == 2
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO t VALUES (?, ?)", [(3, "z"), (4, None)])
        assert cursor.rowcount == 2
        cursor.executemany("INSERT INTO t VALUES (?, ?)", [])
    assert rows(connection, "DELETE FROM t WHERE a > ? RETURNING a", (2,)) == [(3,), (4,)]


def test_several_sets_are_all_done_or_none_is(opened: Open) -> None:
    connection = opened()
    told(connection, "CREATE TABLE t (a int PRIMARY KEY)")
    with connection.cursor() as cursor, pytest.raises(connection.Error, match=r"[Dd]uplicate key"):
        cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (1,)])
    assert rows(connection, "FROM t") == []


def test_an_error_says_what_the_database_says_and_nothing_of_the_server(opened: Open) -> None:
    connection = opened()
    with pytest.raises(connection.Error, match="nowhere does not exist") as caught:
        rows(connection, "SELECT * FROM nowhere")
    assert "Traceback" not in str(caught.value)
    assert rows(connection, "SELECT 1") == [(1,)]


def test_a_transaction_is_seen_by_others_when_it_is_committed(opened: Open) -> None:
    one, other = opened(autocommit=False), opened()
    told(other, "CREATE TABLE t (a int)")
    rows(one, "INSERT INTO t VALUES (?)", (1,))
    assert (rows(one, "FROM t"), rows(other, "FROM t")) == ([(1,)], [])
    one.commit()
    assert rows(other, "FROM t") == [(1,)]
    told(one, "DELETE FROM t")
    one.rollback()
    assert rows(one, "FROM t") == [(1,)]
    one.commit()


def test_of_two_transactions_in_conflict_one_fails(opened: Open) -> None:
    told(opened(), "CREATE TABLE t (a int PRIMARY KEY)")
    one, other = opened(autocommit=False), opened(autocommit=False)
    told(one, "INSERT INTO t VALUES (1)")
    with pytest.raises(one.Error, match=r"[Dd]uplicate key|[Cc]onflict"):
        told(other, "INSERT INTO t VALUES (1)")
        one.commit()
        other.commit()
    assert len(rows(opened(), "FROM t")) <= 1


def test_in_a_transaction_a_statement_may_come_while_rows_are_fetched(opened: Open) -> None:
    connection = opened(autocommit=False)
    with connection.cursor() as cursor:
        cursor.execute("FROM range(10000)")
        assert cursor.fetchone() == (0,)
        assert rows(connection, "SELECT 1") == [(1,)]
        assert len(cursor.fetchall()) == 9999


@pytest.mark.parametrize("sql", ["BEGIN", "COMMIT", "rollback", "SELECT 1; BEGIN"])
def test_a_transaction_by_sql_is_refused(opened: Open, sql: str) -> None:
    connection = opened()
    with pytest.raises(connection.Error, match="by an action of Flight SQL, not by SQL"):
        told(connection, sql)


def test_rows_come_while_the_query_runs_and_leaving_stops_it(opened: Open) -> None:
    connection = opened()
    begin = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("FROM range(100000000000)")
        assert cursor.fetchmany(2) == [(0,), (1,)]
    assert rows(connection, "SELECT 1") == [(1,)]
    assert time.monotonic() - begin < 5


ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(100000000000) b WHERE a.range % 7 = b.range % 5"


@pytest.mark.parametrize("autocommit", [True, False])
def test_cancelling_interrupts_the_statement(opened: Open, autocommit: bool) -> None:
    connection = opened(autocommit=autocommit)
    with connection.cursor() as cursor:
        threading.Timer(0.3, cursor.adbc_cancel).start()
        begin = time.monotonic()
        with pytest.raises(connection.Error) as caught:
            cursor.execute(ENDLESS).fetchall()
        assert caught.value.status_code is adbc.AdbcStatusCode.CANCELLED
        assert time.monotonic() - begin < 5
    if not autocommit:
        connection.rollback()
    assert rows(connection, "SELECT 1") == [(1,)]


def test_a_time_limit_interrupts_the_statement(opened: Open) -> None:
    connection = opened(**{DatabaseOptions.TIMEOUT_QUERY.value: "0.3", DatabaseOptions.TIMEOUT_FETCH.value: "0.3"})
    with pytest.raises(connection.Error) as caught:
        rows(connection, ENDLESS)
    assert caught.value.status_code is adbc.AdbcStatusCode.TIMEOUT


def test_databases_know_nothing_of_each_other_and_are_forgotten(server: FlightSQLServer) -> None:
    with server.temporary_database() as first, server.temporary_database() as second:
        with closing(connect(server.uri, db_kwargs=first, autocommit=True)) as connection:
            told(connection, "CREATE TABLE t (a int)")
        with closing(connect(server.uri, db_kwargs=second, autocommit=True)) as connection:
            assert rows(connection, "SHOW TABLES") == []
    with closing(connect(server.uri, db_kwargs={HEADER: first[HEADER]}, autocommit=True)) as connection:
        assert rows(connection, "SHOW TABLES") == []


def test_a_forgotten_transaction_is_rolled_back() -> None:
    """Closing a connection ends none: the driver does not tell the server."""
    with temporary_flightsql(patience=0.2) as server, server.temporary_database() as options:
        with closing(connect(server.uri, db_kwargs=options, autocommit=True)) as connection:
            told(connection, "CREATE TABLE t (a int)")
            told(connection, "INSERT INTO t VALUES (1)")
            gone = connect(server.uri, db_kwargs=options)
            told(gone, "DELETE FROM t")
            with pytest.raises(connection.Error, match=r"[Cc]onflict"):
                told(connection, "DELETE FROM t")
            gone.adbc_connection.close()
            time.sleep(0.3)
            assert told(connection, "DELETE FROM t") == 1
        gone.close()


def test_a_password_is_asked_for() -> None:
    with temporary_flightsql("pass word") as server, server.temporary_database() as options:
        right = {**options, "username": "u", "password": "pass word"}
        with closing(connect(server.uri, db_kwargs=right, autocommit=True)) as connection:
            assert rows(connection, "SELECT 1") == [(1,)]
        for wrong in (options, {**right, "password": "no"}):
            with (
                pytest.raises(adbc.Error, match=r"wrong user name|UNAUTHENTICATED"),
                closing(connect(server.uri, db_kwargs=wrong, autocommit=True)) as connection,
            ):
                rows(connection, "SELECT 1")


def test_a_stopped_server_is_gone() -> None:
    with temporary_flightsql() as server:
        server.stop()
        server.stop()
    with (
        pytest.raises(adbc.Error, match="refused"),
        closing(connect(server.uri, autocommit=True)) as connection,
    ):
        rows(connection, "SELECT 1")
