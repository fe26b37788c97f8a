"""GENERATED from sqlspec/_async/connection.py by tools/unasync.py: do not edit. The life of a connection: acquired, settled, released; or interrupted and never trusted again.

    pool -> IDLE --statement--> BUSY --answer--> IDLE ... --release--> SETTLING -> pool
                                 |  interrupted (cancelled, timed out, broken)         ^   | failed or past its deadline
                                 +-----------------------------------------------------+   +--> closed, never reused

One ``SyncConnections`` is the pool of one config in one home (a running event loop; for the sync twin, the process),
with a ledger of who holds what. On release the connection itself is asked whether a transaction is open, not our
belief. It knows no session and no statement.
"""

from __future__ import annotations

import inspect
import os
import time
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlspec.concurrency import SyncBackground, SyncLock, SyncTimeLimit
from sqlspec.exceptions import ConnectionFailedError, LockTimeoutError, OperationalError, PoolTimeoutError
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from sqlspec._sync.config import SyncDatabaseConfig

__all__ = ("SETTLE_DEADLINE", "SyncCheckout", "SyncConnections", "caller")

SETTLE_DEADLINE = 2.0
"""Seconds that an interrupted connection has to come back to rest before it is closed."""

_logger = get_logger("pool")
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # frames in here are not the user's
_TESTS = os.path.join(_HOME, "testing")  # but for these
_ours: set[str] = set()  # files that were found to be ours: every acquire asks for half a dozen


class SyncCheckout:
    """One connection out of the pool: a line in the ledger.

    Attributes:
        connection: The driver's own object.
        since: When it was taken, in the monotonic clock's seconds.
        where: File and line that asked for it.
        statement: The last statement that was sent through it.
        abandoned: It was interrupted: nobody but the one who settles it touches the connection any more.
        changed: A statement changed what the next user would find (temporary tables and the like): not to be reused.
    """

    __slots__ = ("abandoned", "changed", "connection", "since", "statement", "where")

    def __init__(self, connection: Any, where: str) -> None:
        self.connection = connection
        self.where = where
        self.since = time.monotonic()
        self.statement: str | None = None
        self.abandoned = False
        self.changed = False

    def describe(self) -> str:
        """For the list of holders in a PoolTimeoutError."""
        seconds = time.monotonic() - self.since
        last = "nothing yet" if self.statement is None else " ".join(self.statement.split())[:120]
        return f"{self.where}, for {seconds:.1f} s, last statement: {last}"


class SyncConnections:
    """The pool of one config in one home, opened on first use."""

    def __init__(self, config: SyncDatabaseConfig[Any, Any, Any], home: Any) -> None:
        self.home = home
        self.process = os.getpid()
        self.pool = config.make_pool()
        self.closed = False
        self._config = config
        self._wire = config.wire
        self._faults: tuple[type[BaseException], ...] = (*config.wire.errors, OSError)
        self._opened = False
        self._opening = SyncLock()
        self._ledger: set[SyncCheckout] = set()
        self._settling = SyncBackground()

    @property
    def holders(self) -> list[SyncCheckout]:
        """Who has a connection now, the longest first."""
        return sorted(self._ledger, key=lambda checkout: checkout.since)

    def open(self) -> None:
        """Open the pool with its ``min_size`` connections, once however many ask for it."""
        if not self._opened:
            with self._opening:
                self._open_once()

    def _open_once(self) -> None:
        if self._opened:
            return
        if self.closed:
            message = f"The pool of {self._config!r} was closed while it was wanted. Try again: that opens a new one."
            raise ConnectionFailedError(message)
        started = time.monotonic()
        try:
            self._config.open_pool(self.pool)
        except self._faults as error:
            self.pool = self._config.renew_pool(self.pool)
            raise self._refused(error, started) from error
        except BaseException:
            self.pool = self._config.renew_pool(self.pool)
            raise
        self._opened = True

    def close(self) -> None:
        """Wait for connections that are still being settled, then close the pool. Repeatable."""
        if self.closed:
            return
        self.closed = True
        self._settling.wait()
        with self._opening:  # who opens it now has it open then
            if self._opened:
                self._config.close_pool(self.pool)

    def abandon(self) -> None:
        """Forget the pool without touching its connections: its loop is closed, or another process owns them."""
        self.closed = True

    # Taking a connection

    def acquire(self) -> SyncCheckout:
        """Take a connection.

        Raises:
            PoolTimeoutError: None became free in ``acquire_timeout`` seconds.
            ConnectionFailedError: The database could not be reached, refused, or did not answer in that time.
            LockTimeoutError: It is locked by others.
        """
        limit = self._config.acquire_timeout
        started = time.monotonic()
        if not self._opened:
            self._open_within(limit, started)
            limit = None if limit is None else max(0.0, limit - (time.monotonic() - started))
        try:
            connection = self._config.take(self.pool, limit)
        except TimeoutError as error:
            if self._was_connecting(limit, started):
                raise self._refused(error, started) from error
            raise PoolTimeoutError(self._exhausted()) from error
        except self._faults as error:
            raise self._refused(error, started) from error
        checkout = SyncCheckout(connection, caller())
        self._ledger.add(checkout)
        return checkout

    def _open_within(self, limit: float | None, started: float) -> None:
        try:
            with SyncTimeLimit(limit, _let_it_end):
                self.open()
        except TimeoutError as error:
            if not self._opened:  # what can't be interrupted may have come to its end after all
                raise self._refused(error, started) from error

    def _was_connecting(self, limit: float | None, started: float) -> bool:
        """Whether a time-out while taking was the database's: all wait for the pool until the limit, not less."""
        if limit is None or time.monotonic() - started < 0.9 * limit:
            return True
        return len(self._ledger) < self._config.max_size and self._config.is_connecting(self.pool)

    def _exhausted(self) -> str:
        holders = "".join(f"\n  - {checkout.describe()}" for checkout in self.holders) or " none"
        return (
            f"No connection of {self._config!r} became free in {self._config.acquire_timeout:g} s. Raise max_size, "
            f"hold connections for a shorter time, or raise acquire_timeout. Holders:{holders}"
        )

    def _refused(self, error: BaseException, started: float) -> OperationalError:
        place = f"Could not connect to {self._config.target}"
        if isinstance(error, TimeoutError):
            return ConnectionFailedError(f"{place}: it did not answer in {time.monotonic() - started:.1f} s")
        facts = self._wire.read_error(error)
        is_locked = issubclass(self._wire.dialect.classify(facts), LockTimeoutError)
        kind = LockTimeoutError if is_locked else ConnectionFailedError
        return kind(f"{place}: {self._config.redact(facts.message)}", code=facts.code, sqlstate=facts.sqlstate)

    # Giving it back

    def release(self, checkout: SyncCheckout) -> None:
        """Roll back what is open, and hand the connection back. Interrupted, it goes on in the background.

        Never raises for a connection that could not be settled: it is closed then, and the next user gets another.
        """
        connection = checkout.connection
        if checkout.abandoned:
            return
        try:
            if not self._wire.is_usable(connection):
                self._close(checkout)
                return
            if self._wire.in_transaction(connection):
                self._wire.command(connection, "ROLLBACK")
            (self._close(checkout) if checkout.changed else self._hand_back(checkout))
        except Exception as error:  # noqa: BLE001 (whatever it was, this connection is not to be trusted)
            _logger.warning("a connection could not be settled and is closed: %s", error)
            self.abandon_checkout(checkout)
        except BaseException:
            self.abandon_checkout(checkout)
            raise

    def abandon_checkout(self, checkout: SyncCheckout) -> None:
        """Settle an interrupted connection where cancellation can't reach. Returns at once."""
        if checkout in self._ledger and not checkout.abandoned:
            checkout.abandoned = True
            self._settling.start(self._settle(checkout))

    def _settle(self, checkout: SyncCheckout) -> None:
        connection = checkout.connection
        try:
            with SyncTimeLimit(SETTLE_DEADLINE, partial(self._wire.interrupt, connection)):
                if self._wire.is_usable(connection):
                    self._wire.recover(connection)
                if self._wire.is_usable(connection) and not checkout.changed:
                    self._hand_back(checkout)
        except BaseException as error:  # noqa: BLE001 (also when the loop shuts down: nothing may be left behind)
            _logger.warning("an interrupted connection did not come to rest and is closed: %r", type(error))
        if checkout in self._ledger:
            self._close(checkout)

    def _hand_back(self, checkout: SyncCheckout) -> None:
        self._forget(checkout)  # first: once the pool has begun to take it back, even a cancellation leaves it there
        self._config.give(self.pool, checkout.connection)

    def _close(self, checkout: SyncCheckout) -> None:
        self._forget(checkout)
        try:
            self._config.discard(self.pool, checkout.connection)
        except self._faults as error:
            _logger.debug("closing a broken connection: %r", type(error))

    def _forget(self, checkout: SyncCheckout) -> None:
        self._ledger.discard(checkout)
        threshold = self._config.leak_threshold
        if threshold is not None and time.monotonic() - checkout.since > threshold:
            _logger.warning("a connection was held longer than leak_threshold=%g s: %s", threshold, checkout.describe())

    def __del__(self) -> None:
        if getattr(self, "_opened", False) and not self.closed and self.process == os.getpid():
            message = f"The pool of {self._config!r} was never closed: call close_pool() or close_all_pools()."
            warnings.warn(message, ResourceWarning, stacklevel=2, source=self)


def _let_it_end() -> None:
    """Opening without a loop is not interrupted: it ends by the driver's own limits."""


def caller() -> str:
    """File and line of the nearest frame that is not ours."""
    frame = inspect.currentframe()
    while frame is not None and ((file := frame.f_code.co_filename) in _ours or _is_ours(file)):
        frame = frame.f_back
    return "(unknown)" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _is_ours(file: str) -> bool:
    is_ours = file.startswith(_HOME) and not file.startswith(_TESTS)
    if is_ours:
        _ours.add(file)
    return is_ours
