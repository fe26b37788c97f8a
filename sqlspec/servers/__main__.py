"""``python -m sqlspec.servers``: where PostgreSQL would come from on this machine. Starts nothing."""

from __future__ import annotations

import sys

from sqlspec.servers.postgres import WAYS, NotToBeHad, look
from sqlspec.servers.process import ServerUnavailableError


def main() -> int:
    """Print what each way offers, the first that leads somewhere with a star. Exit status 1 if none does."""
    star = "*"
    for way in WAYS:
        try:
            print(f"{star} {way:9} {look(way).description}")
            star = " "
        except NotToBeHad as reason:
            print(f"  {way:9} no: {reason}")
        except ServerUnavailableError as error:
            print(f"! {way:9} {error}")
            return 1
    return int(star == "*")


if __name__ == "__main__":
    sys.exit(main())
