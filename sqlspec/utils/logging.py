"""The import path of ``get_logger`` that the guides name. The one file of this folder."""

from sqlspec.logging import get_logger

__all__ = ("get_logger",)
