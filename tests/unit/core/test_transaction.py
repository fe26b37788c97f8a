"""Open transactions are judged by what was sent, where the driver can't be asked."""

from __future__ import annotations

import gc
import weakref

import pytest

from sqlspec.core.transaction import OpenTransactions


@pytest.mark.parametrize(
    ("sent", "is_open"),
    [
        (["BEGIN"], True),
        (["begin transaction read only"], True),
        (["START TRANSACTION"], True),
        (["-- first\n/* then */ BEGIN IMMEDIATE"], True),
        (["BEGIN", "COMMIT"], False),
        (["BEGIN", "END"], False),
        (["BEGIN", "ROLLBACK"], False),
        (["BEGIN", "ABORT"], False),
        (["BEGIN", "SAVEPOINT a", "RELEASE SAVEPOINT a"], True),
        (["BEGIN", "SAVEPOINT a", "ROLLBACK TO SAVEPOINT a"], True),
        (["BEGIN", "ROLLBACK TO a"], True),
        (["BEGIN", "COMMIT AND CHAIN"], True),
        (["BEGIN", "COMMIT AND NO CHAIN"], False),
        (["BEGIN", "COMMIT PREPARED 'a'"], True),
        (["BEGIN", "PREPARE TRANSACTION 'a'"], False),
        (["BEGIN", "SELECT 1"], True),
        (["SELECT 1"], False),
        (["BEGIN NOT ATOMIC SELECT 1; END"], False),
        ([], False),
    ],
)
def test_a_transaction_is_open_after_what_was_sent(sent: list[str], is_open: bool) -> None:
    """Savepoints begin and end none; AND CHAIN begins the next one at once."""  # S5
    connection = object()
    transactions = OpenTransactions()
    for sql in sent:
        transactions.note(connection, sql)
    assert transactions.is_open(connection) is is_open


def test_connections_are_told_apart_and_forgotten() -> None:
    """Another connection has a state of its own; a closed one leaves nothing."""  # S5
    one, two = object(), object()
    transactions = OpenTransactions()
    transactions.note(one, "BEGIN")
    assert not transactions.is_open(two)
    transactions.forget(one)
    transactions.forget(two)
    assert not transactions.is_open(one)


def test_a_number_is_given_to_no_other_connection() -> None:
    """A connection is kept while it counts as open, or the next one might be taken for it; and not any longer."""  # S5

    class Connection:
        pass

    connection = Connection()
    kept = weakref.ref(connection)
    transactions = OpenTransactions()
    transactions.note(connection, "BEGIN")
    del connection
    gc.collect()
    found = kept()
    assert found is not None
    transactions.forget(found)
    del found
    gc.collect()
    assert kept() is None
