"""MySQL 9: the one that is named, or Debian's, unpacked beside the system.

No Debian that is in use has it in its own suite, and one machine hardly has both MariaDB and MySQL. Ways to have it;
``SQLSPEC_SERVERS_WITHOUT=packages`` switches ways off:

    env        the server that SQLSPEC_TEST_MYSQL_DSN names; if it does not answer, that is an error
    packages   mysql-server-core of Debian unstable, fetched once (330 MB unpacked) and kept in the cache
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlspec.servers.client import ServerRefusedError
from sqlspec.servers.mariadb import MariaDBServer, start_unpacked
from sqlspec.servers.process import to_stderr
from sqlspec.servers.unpacked import is_possible_here
from sqlspec.servers.ways import Offer, Ways, named

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("MYSQL9_WAYS", "find_or_start_mysql9")

DSN_VARIABLE = "SQLSPEC_TEST_MYSQL_DSN"
PACKAGE, SUITE = "mysql-server-core", "sid"


def find_or_start_mysql9(*, say: Callable[[str], None] = to_stderr) -> MariaDBServer:
    """A server that is there, else one started for us. Use it with ``with``, or call ``stop()``.

    Args:
        say: Is told what takes longer than two seconds.

    Raises:
        ServerUnavailableError: There is no way; the message tells of each.
    """
    return MYSQL9_WAYS.take(say)


class _MySQL9Server(MariaDBServer):
    """Whoever asks for MySQL 9 wants no other."""

    @classmethod
    def _login(cls, dsn: str, timeout: float) -> str:
        version = super()._login(dsn, timeout)
        if not version.startswith("9."):
            message = f"its version is {version}, not MySQL 9"
            raise ServerRefusedError(message)
        return version


def _look_in_environment() -> Offer[MariaDBServer]:
    offer: Offer[MariaDBServer] = named(DSN_VARIABLE, _MySQL9Server)
    return offer


def _look_for_packages() -> Offer[MariaDBServer]:
    is_possible_here()
    return Offer(f"{PACKAGE} of Debian {SUITE}, unpacked beside the system", partial(start_unpacked, PACKAGE, SUITE))


MYSQL9_WAYS = Ways(
    "MySQL 9",
    {"env": _look_in_environment, "packages": _look_for_packages},
    f"set {DSN_VARIABLE}, or run this on a machine with Debian's apt",
)
