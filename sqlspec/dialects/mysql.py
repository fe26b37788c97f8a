"""MySQL and MariaDB: how they write, begin, commit behind one's back, and what their error numbers mean.

Numbers: https://mariadb.com/kb/en/mariadb-error-code-reference/ and the reference of MySQL; the two agree below 1800,
beyond that each has its own. UUID, JSON, times, durations and aware datetimes have no type here and are sent as text.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlspec import exceptions as e
from sqlspec.core import values
from sqlspec.core.facts import NATIVE_TYPES, BeginOptions, DialectFacts, ErrorFacts, LexicalFacts

if TYPE_CHECKING:
    from sqlspec.exceptions import DatabaseError

__all__ = ("LEXICAL", "MYSQL", "begin_sql", "classify", "read_message", "refuses_transactions", "without_values")

LEXICAL = LexicalFacts(
    backslash_strings=True,
    backtick_identifiers=True,
    hash_comments=True,
    executable_comments=True,
    dash_comments_need_space=True,
    at_variables=True,
)


# Transactions ---------------------------------------------------------------------------------------------------------


def begin_sql(options: BeginOptions) -> tuple[str, ...]:
    """The statements that begin a transaction; the level holds for the one that is begun next."""
    start = "START TRANSACTION READ ONLY" if options.read_only else "BEGIN"
    if options.isolation is None:
        return (start,)
    return (f"SET TRANSACTION ISOLATION LEVEL {options.isolation.upper()}", start)


IMPLICIT_COMMIT = re.compile(
    r"(?:SET\s++STATEMENT\b.*?\bFOR\s++)?"
    r"(?:CREATE\s++(?!(?:OR\s++REPLACE\s++)?TEMPORARY\s++TABLE\b)"
    r"|DROP\s++(?!TEMPORARY\b|PREPARE\b)"
    r"|DEALLOCATE\s++(?!PREPARE\b)"
    r"|(?:ALTER|RENAME|TRUNCATE|GRANT|REVOKE|FLUSH|INSTALL|UNINSTALL|IMPORT|BACKUP)\b"
    r"|(?:ANALYZE|CHECK|OPTIMIZE|REPAIR)\s++(?:(?:NO_WRITE_TO_BINLOG|LOCAL)\s++)?(?:TABLES?|VIEW)\b"
    r"|RESET\s++(?!PERSIST\b)"
    r"|SET\s++(?:PASSWORD|DEFAULT\s++ROLE)\b"
    r"|SET\b.*\bautocommit\b"
    r"|LOCK\s++TABLES?\b"
    r"|(?:CACHE|LOAD)\s++INDEX\b"
    r"|CHANGE\s++(?:MASTER|REPLICATION)\b"
    r"|(?:START|STOP)\s++(?:ALL\s++)?(?:TRANSACTION|GROUP_REPLICATION|SLAVES?|REPLICAS?)\b"
    r"|BEGIN\b(?!\s++NOT\s++ATOMIC\b))",
    re.IGNORECASE | re.DOTALL,
)
"""What commits the open transaction before (and mostly after) it runs. Temporary tables do not."""

CHANGES_SESSION = re.compile(
    r"\A[\s;(]*+(?:SET\b(?!\s++(?:STATEMENT|PASSWORD)\b)|USE\b|HANDLER\b|XA\b|LOCK\b|BACKUP\b|FLUSH\b.*\b(?:LOCK|EXPORT)\b"
    r"|EXECUTE\b|CALL\b)"
    r"|:=|\bGET_LOCK\s*+\(|\b(?:INTO|SET)\s++@",
    re.IGNORECASE | re.DOTALL,
)
"""What stays behind in a connection: variables, locks, the chosen database; a procedure may do all of that."""


# Errors ---------------------------------------------------------------------------------------------------------------

_OUTSIDE_ONLY = frozenset({1400, 1679, 1685, 1694, 1766, 1929, 1953})
"""XA START, and variables of replication, in a transaction. DDL would end it, and is refused before it is sent."""

_BY_CODE: dict[int, type[DatabaseError]] = {
    code: kind
    for kind, codes in {
        e.UniqueViolationError: (1022, 1062, 1169, 1291, 1586, 1859),
        e.ForeignKeyViolationError: (1216, 1217, 1451, 1452, 1557, 1761, 1762),
        e.NotNullViolationError: (1048, 1121, 1263, 1364, 1566),
        e.CheckViolationError: (1526, 3819, 4025),
        e.UndefinedTableError: (1051, 1109, 1146, 4092),
        e.UndefinedColumnError: (1054, 1072),
        e.SQLSyntaxError: (1064, 1065, 1149),
        e.PermissionDeniedError: (
            *(1044, 1045, 1141, 1142, 1143, 1148, 1227, 1290, 1370, 1410, 1419, 1698, 1792, 1836, 3948, 4166),
        ),
        e.DeadlockError: (1213, 1614, 3058),
        e.LockTimeoutError: (1205, 1206, 3572),
        e.SerializationError: (1020, 3101),
        e.StatementTimeoutError: (1317, 1969, 3024),
        e.ConnectionLostError: (
            *(1053, 1077, 1078, 1080, 1152, 1153, 1158, 1159, 1160, 1161, 1184),
            *(1927, 2006, 2013, 2014, 2027, 2055, 3169, 4031),
        ),
        e.ConnectionFailedError: (
            *(1040, 1042, 1043, 1049, 1129, 1130, 1203, 1251, 1862),
            *(2001, 2002, 2003, 2004, 2005, 2007, 2009, 2012, 2026, 2058, 2059, 2061),
        ),
        e.DataError: (
            *(1138, 1264, 1265, 1292, 1300, 1365, 1366, 1367, 1406, 1411, 1416, 1427, 1441, 1525),
            *(1690, 2032, 3140, 3141, 3143, 3144, 3146, 3147, 3150, 3156, 4038, 4078),
        ),
        e.ProgrammingError: (
            *(1046, 1050, 1052, 1055, 1060, 1061, 1066, 1091, 1093, 1094, 1111, 1128, 1133, 1136, 1193, 1210, 1222),
            *(1230, 1231),
            *(1235, 1247, 1248, 1304, 1305, 1318, 1327, 1347, 1568, 1582, 1630, 1651),
            *_OUTSIDE_ONLY,
        ),
        e.OperationalError: (1021, 1037, 1038, 1041, 1114, 1226, 1301),
    }.items()
    for code in codes
}

_BY_STATE: dict[str, type[DatabaseError]] = {
    "08": e.ConnectionLostError,
    "21": e.ProgrammingError,
    "22": e.DataError,
    "23": e.IntegrityError,
    "28": e.ConnectionFailedError,
    "42": e.ProgrammingError,
    "40": e.OperationalError,
    "70": e.OperationalError,
}


def classify(error: ErrorFacts) -> type[DatabaseError]:
    """Which of our exceptions an error number is; else its SQLSTATE's class."""
    code = error.code if isinstance(error.code, int) else None
    known = _BY_CODE.get(code) if code is not None else None
    return known or _BY_STATE.get((error.sqlstate or "")[:2]) or e.DatabaseError


def refuses_transactions(error: ErrorFacts) -> bool:
    """Whether the statement must not be in a transaction."""
    return error.code in _OUTSIDE_ONLY


_QUOTES_NAMES = frozenset(
    (
        *(1020, 1044, 1045, 1046, 1048, 1049, 1050, 1051, 1052, 1054, 1055, 1060, 1061, 1066, 1072, 1091, 1109),
        *(
            1142,
            1143,
            1146,
            1153,
            1193,
            1227,
            1229,
            1232,
            1238,
            1263,
            1264,
            1265,
            1290,
            1304,
            1305,
            1318,
            1347,
            1364,
            1370,
            1406,
        ),
        *(1644, 1698, 3819, 4025, 4092),
    )
)
"""Errors whose quoted texts are names, or whose author is whoever raised them (1644, SIGNAL); others quote values."""

_BEFORE_VALUE = {1231: " to the value of ", 1526: " for value "}
"""What stands before a value at the end of a message: after a name in quotes, or without any."""
_OF_CLIENTS = range(2000, 3000)
"""Numbers of what drivers say by themselves: they quote addresses."""
_QUOTED = re.compile(r"(?<!\w)'(?:.*'(?!\w)|.*)", re.DOTALL)
"""From the first quote to the last, for a value may hold quotes; an apostrophe (``can't``) is none."""
_SYNTAX = frozenset({1064, 1149})
_UNKNOWN = re.compile(r"(?:Unknown column|Table) '([^']+)'")
_NEAR = re.compile(r" near '(.*)'(?: at line (\d+))?\Z", re.DOTALL)
_CODE_PART = re.compile(r"[^'\"\d\\]*")  # before the first literal: values are literals in the text that the server saw
_LAST_NAMES = re.compile(r".*( for (?:key|column) (?:['`][^']*['`]).*)\Z", re.DOTALL)
_COLUMN = re.compile(r"[Cc]olumn (?:'|`(?:[^`]*`\.`)*)([^'`]+)['`]|Field '([^']+)'")
_TABLE = re.compile(r"(?:[Tt]able|VIEW:) '([^']+)'|(?:fails|failed for|for table|for column) \(?`[^`]+`\.`([^`]+)`")
_CONSTRAINT = re.compile(r"CONSTRAINT `([^`]+)`|[Cc]heck constraint '([^']+)'| for key '([^']+)'\Z")


def read_message(message: str, code: int | None, sqlstate: str | None = None) -> ErrorFacts:
    """What a server's message tells, and the message without the values that it quotes."""
    shown = without_values(message, code)
    table, column, constraint = (_first(pattern, shown) for pattern in (_TABLE, _COLUMN, _CONSTRAINT))
    if code == 1062 and constraint and "." in constraint:  # MySQL 8 puts the table before the key
        table, _, constraint = constraint.partition(".")
    return ErrorFacts(
        message=shown,
        code=code,
        sqlstate=sqlstate,
        constraint=constraint,
        table=table.rpartition(".")[2] if table else None,
        column=column.rpartition(".")[2] if column else None,
        near=_near(message, code),
    )


def _near(message: str, code: int | None) -> str | None:
    """The text at which the server stopped, or the name that it does not know. It tells no place, or only a line."""
    if code in _SYNTAX:
        found = _NEAR.search(message)
        return (_code_part(found[1]).strip() or None) if found else None
    unknown = _UNKNOWN.match(message) if code in (1054, 1146) else None
    return unknown[1].rpartition(".")[2] if unknown else None


def _first(pattern: re.Pattern[str], message: str) -> str | None:
    found = pattern.search(message)
    return next((group for group in found.groups() if group), None) if found else None


def _code_part(near: str) -> str:
    found = _CODE_PART.match(near)
    return found[0] if found else ""


def without_values(message: str, code: int | None) -> str:
    """The message without what it quotes, where that may be a value and not a name."""
    told, words, _ = message.partition(_BEFORE_VALUE.get(code or 0) or "\0")
    if words:
        return f"{told}{words}…"
    if code in _QUOTES_NAMES or "'" not in message or (code is not None and code in _OF_CLIENTS):
        return message
    near = _NEAR.search(message)
    if near and code in _SYNTAX:
        kept = _code_part(near[1])
        return f"{message[: near.start(1)]}{kept}{'' if kept == near[1] else '…'}{message[near.end(1) :]}"
    names = _LAST_NAMES.fullmatch(message)
    end = names.start(1) if names else len(message)
    return _QUOTED.sub("'…'", message[:end]) + message[end:]


# Values ---------------------------------------------------------------------------------------------------------------


def _finite_float(value: float) -> float:
    if not math.isfinite(value):
        raise TypeError(_NOT_FINITE)  # not a ValueError: the text of those is not shown
    return value


def _finite_decimal(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise TypeError(_NOT_FINITE)
    if abs(value.adjusted()) > MOST_DIGITS:
        raise TypeError(_TOO_LONG)
    return value


MOST_DIGITS = 80
"""Before the point: of more, the servers make 65 nines. Behind it they round; but ``1E-999999999`` is a gigabyte."""

_NOT_FINITE = "MySQL has no infinity and no NaN"
_TOO_LONG = f"MySQL has no decimals of more than {MOST_DIGITS} digits"


def _datetime(value: dt.datetime) -> dt.datetime | str:
    """No type here knows an offset. MySQL 8.0.19 and newer reads it, MariaDB refuses it for a DATETIME."""
    return value if value.tzinfo is None else value.astimezone(dt.UTC).isoformat(" ")


def _clock(value: dt.timedelta) -> str:
    """``[-]HHH:MM:SS.ffffff``, what TIME takes up to 838 hours."""
    micros = value // dt.timedelta(microseconds=1)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, micros = divmod(micros, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}"


MYSQL = DialectFacts(
    name="mysql",
    begin_sql=begin_sql,
    classify=classify,
    lexical=LEXICAL,
    implicit_commit=IMPLICIT_COMMIT,
    refuses_transactions=refuses_transactions,
    changes_session=CHANGES_SESSION,
    native_types=(NATIVE_TYPES - {float}) | {bool, dt.date},
    encoders={
        float: _finite_float,
        Decimal: _finite_decimal,
        dt.datetime: _datetime,
        dt.time: values.iso_time,
        dt.timedelta: _clock,
        UUID: values.uuid_text,
        bytearray: bytes,
        dict: values.json_text,
        list: values.json_text,
        tuple: values.json_text,
        Enum: values.enum_value,
    },
)
