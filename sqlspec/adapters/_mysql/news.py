"""Whether the server has said something that nobody has read yet: between statements that can only be goodbye."""

from __future__ import annotations

import select
import sys

__all__ = ("has_news",)


def has_news(descriptor: int) -> bool:
    """Whether there is something to read on a socket, its end included. Does not wait."""
    if sys.platform == "win32":
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
