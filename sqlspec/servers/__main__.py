"""``python -m sqlspec.servers``: where the databases would come from on this machine. Starts nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sqlspec.servers.mariadb import MARIADB_WAYS
from sqlspec.servers.postgres import POSTGRES_WAYS
from sqlspec.servers.process import ServerUnavailableError
from sqlspec.servers.ways import NotToBeHad

if TYPE_CHECKING:
    from sqlspec.servers.ways import AnyWays

DATABASES: tuple[AnyWays, ...] = (POSTGRES_WAYS, MARIADB_WAYS)


def main() -> int:
    """Tell of each database. Exit status 1 if one is not to be had."""
    return max([_tell(ways) for ways in DATABASES])


def _tell(ways: AnyWays) -> int:
    """Print what each way offers, the first that leads somewhere with a star. 1 if none does."""
    print(ways.database)
    star = "*"
    for way in ways:
        try:
            print(f"{star} {way:9} {ways.look(way).description}")
            star = " "
        except NotToBeHad as reason:
            print(f"  {way:9} no: {reason}")
        except ServerUnavailableError as error:
            print(f"! {way:9} {error}")
            return 1
    return int(star == "*")


if __name__ == "__main__":
    sys.exit(main())
