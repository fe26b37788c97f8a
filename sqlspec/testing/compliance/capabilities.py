"""What a database can do and another one physically can't, one sentence each. The suite and the docs read them here.

A capability that an adapter declares is tested; what needs one that it does not declare is left out, and counted.
"""

from __future__ import annotations

__all__ = ("CAPABILITIES",)

CAPABILITIES: dict[str, str] = {
    # The driver
    "async": "the driver is async",
    "pool": "the driver brings its own pool",
    # Statements
    "returning": "INSERT and DELETE can return rows",
    "update_returning": "UPDATE can return rows too",
    "inserted_id": "`last_inserted_id` tells the key of an inserted row",
    "count": "`rows_affected` tells how many rows a statement changed",
    "count_many": "`rows_affected` tells how many rows `execute_many()` changed",
    "many_statements": "`execute_many()` takes every statement, those that return rows too",
    "infers_parameters": "the type of a parameter is what its place in the statement wants",
    "multiple_results": "a procedure may give several results, of which the first is read",
    "triggers": "triggers have a body of statements (`BEGIN … END`)",
    "dollar_quotes": "`$$ … $$` quotes functions and DO blocks (PostgreSQL)",
    "temporary_tables": "there are temporary tables",
    # Types
    "types": "UUIDs, dates, times, Decimals and JSON come back typed without a schema type",
    "arrays": "columns may be arrays, and lists go in as such",
    "matrices": "arrays may have several dimensions",
    "infinity": "floats may be infinite or NaN",
    "microseconds_as_they_are": "far dates keep their microseconds",
    # Transactions
    "savepoints": "a part of a transaction can be undone",
    "error_aborts": "a failed statement aborts the transaction",
    "transactional_ddl": "CREATE, ALTER and DROP are part of the transaction",
    "isolation": "there are several isolation levels",
    "read_only": "a transaction may be read-only",
    "serializable": "a conflict of serializable transactions is detected",
    "deferred_constraints": "a foreign key may be checked at COMMIT",
    "commit_tag": "the driver tells when COMMIT became a rollback",
    # Streams
    "server_cursors": "rows are left on the server until they are fetched",
    "streams_beside": "statements run beside an open stream, in a transaction",
    # Errors
    "sqlstate": "errors carry a SQLSTATE",
    "constraint_names": "errors name the constraint that was violated",
    "constraints": "foreign keys, NOT NULL and CHECK are enforced and told apart",
    "error_place": "errors tell the place in the statement",
    "lock_timeout": "waiting for a lock can be limited",
    # Operation
    "time_limits": "`timeout=` stops a statement on the server",
    "kill": "another session can end this one",
    "file": "the database is a file",
    "server": "the database is a server: it can be down, refuse a password, have no such database, have no TLS",
}
