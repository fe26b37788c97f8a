"""Which errors say that no transaction may hold the statement, and what is said then. W24 E2."""

from __future__ import annotations

import pytest

from sqlspec.core.facts import DialectFacts, ErrorFacts
from sqlspec.core.faults import describe_fault
from sqlspec.dialects import duckdb, mysql, sqlite
from sqlspec.dialects.duckdb import DUCKDB
from sqlspec.dialects.mysql import MYSQL
from sqlspec.dialects.postgres import POSTGRES, error_facts
from sqlspec.dialects.postgres_messages import read_report
from sqlspec.dialects.sqlite import SQLITE
from sqlspec.exceptions import ProgrammingError

Case = tuple[DialectFacts, ErrorFacts]

ADVICE = "Run it outside of transactions: in a session of provide_session(config), not inside begin() or transaction()."


def of_postgres(message: str, state: str | None = None) -> Case:
    """By its SQLSTATE, or by the text alone where the driver tells no more."""
    return POSTGRES, error_facts(message, state) if state else read_report(f"ERROR: {message}")


def of_sqlite(message: str, code: int = 1) -> Case:
    return SQLITE, sqlite.read_message(message, code)


def of_duckdb(message: str) -> Case:
    return DUCKDB, duckdb.read_message(message)


def of_mysql(message: str, code: int) -> Case:
    return MYSQL, mysql.read_message(message, code)


def shown(case: object) -> str | None:
    return case.message if isinstance(case, ErrorFacts) else case.name if isinstance(case, DialectFacts) else None


REFUSED = [
    of_postgres("VACUUM cannot run inside a transaction block", "25001"),
    of_postgres("VACUUM cannot run inside a transaction block"),
    of_postgres("CREATE INDEX CONCURRENTLY cannot run inside a transaction block"),
    of_postgres("CREATE SUBSCRIPTION ... WITH (create_slot = true) cannot run inside a transaction block"),
    of_postgres("VACUUM cannot be executed from a function"),
    of_postgres("CREATE DATABASE cannot be executed within a pipeline"),
    of_postgres("REINDEX SCHEMA kann nicht in einem Transaktionsblock ausgeführt werden", "25001"),
    of_postgres("la orden DISCARD ALL no puede ser ejecutada dentro de un bloque de transacción", "25001"),
    of_postgres("VACUUMはトランザクションブロックの内部では実行できません", "25001"),
    of_postgres("invalid transaction termination", "2D000"),
    of_postgres("invalid transaction termination"),
    of_sqlite("cannot VACUUM from within a transaction"),
    of_sqlite("cannot change into wal mode from within a transaction"),
    of_sqlite("cannot change out of wal mode from within a transaction"),
    of_sqlite("cannot ATTACH database within transaction"),
    of_sqlite("cannot DETACH database within transaction"),
    of_sqlite("Safety level may not be changed inside a transaction"),
    of_sqlite("temporary storage cannot be changed from within a transaction"),
    of_duckdb(
        "TransactionContext Error: Cannot CHECKPOINT: the current transaction has transaction local changes",
    ),
    of_duckdb(
        "TransactionContext Error: Cannot FORCE CHECKPOINT: the current transaction has been started for this database",
    ),
    of_duckdb(
        'TransactionContext Error: Cannot detach database "two" because the current transaction has outstanding work'
        " on it - commit or rollback first"
    ),
    of_mysql("XAER_OUTSIDE: Some work is done outside global transaction", 1400),
    of_mysql("Cannot modify @@session.binlog_format inside a transaction", 1679),
    of_mysql("Cannot modify @@session.binlog_direct_non_transactional_updates inside a transaction", 1685),
    of_mysql("Cannot modify @@session.sql_log_bin inside a transaction", 1694),
    of_mysql("The system variable gtid_next cannot be set when there is an ongoing transaction.", 1766),
    of_mysql("Cannot modify @@session.skip_replication inside a transaction", 1929),
    of_mysql("Cannot modify @@session.gtid_domain_id or @@session.gtid_seq_no inside a transaction", 1953),
]

OTHERS = [
    of_postgres("SET TRANSACTION ISOLATION LEVEL must be called before any query", "25001"),
    of_postgres("SET TRANSACTION ISOLATION LEVEL must be called before any query"),
    of_postgres("SET TRANSACTION ISOLATION LEVEL doit être appelé avant toute requête", "25001"),
    of_postgres("transaction read-write mode must be set before any query"),
    of_postgres("cannot set transaction read-write mode inside a read-only transaction"),
    of_postgres("cannot commit while a subtransaction is active", "2D000"),
    of_postgres("cannot commit while a subtransaction is active"),
    of_sqlite("cannot start a transaction within a transaction"),
    of_mysql("Transaction characteristics can't be changed while a transaction is in progress", 1568),
    of_duckdb("TransactionContext Error: cannot start a transaction within a transaction"),
]
"""The same class, but to run it in another session would not help."""

ELSEWHERE = [
    of_postgres("current transaction is aborted, commands ignored until end of transaction block", "25P02"),
    of_postgres("cannot execute VACUUM in a read-only transaction", "25006"),
    of_postgres("VACUUM cannot run inside a transaction block", "P0001"),
    of_postgres("there is no transaction in progress", "25P01"),
    of_sqlite("cannot VACUUM from within a transaction", 1811),
    of_sqlite("database is locked", 5),
    of_duckdb("TransactionContext Error: Current transaction is aborted (please ROLLBACK)"),
    of_duckdb("TransactionContext Error: Conflict on update!"),
]
"""Faults of other kinds."""


@pytest.mark.parametrize(("dialect", "facts"), REFUSED, ids=shown)
def test_what_no_transaction_may_hold_says_where_to_run_it(dialect: DialectFacts, facts: ErrorFacts) -> None:
    """The database's words, then what to do; one class everywhere."""  # W24 E2 E4
    error = describe_fault(facts, dialect, None, "DETACH two")
    assert type(error) is ProgrammingError
    assert str(error) == f"{facts.message.removesuffix('.')}. {ADVICE}\nStatement: DETACH two"


@pytest.mark.parametrize(("dialect", "facts"), OTHERS, ids=shown)
def test_what_comes_too_late_is_not_sent_elsewhere(dialect: DialectFacts, facts: ErrorFacts) -> None:
    """It is about the transaction that is open."""  # W24 E2
    error = describe_fault(facts, dialect, None, "BEGIN")
    assert type(error) is ProgrammingError
    assert "provide_session" not in str(error)


@pytest.mark.parametrize(("dialect", "facts"), ELSEWHERE, ids=shown)
def test_other_faults_are_as_they_were(dialect: DialectFacts, facts: ErrorFacts) -> None:
    """Nothing is said about sessions."""  # W24
    error = describe_fault(facts, dialect, None, "VACUUM")
    assert type(error) is not ProgrammingError
    assert "provide_session" not in str(error)


def test_a_dialect_that_knows_none_gives_no_advice() -> None:
    """As those of others may be written."""  # X4
    plain = DialectFacts(name="toy", begin_sql=lambda _: ("BEGIN",), classify=lambda _: ProgrammingError)
    assert str(describe_fault(ErrorFacts("VACUUM: no."), plain, None, "VACUUM")) == "VACUUM: no.\nStatement: VACUUM"
