"""The import path of ``get_logger`` that the guides name. The one file of this folder."""

from sqlspec.logging import add_request_id, get_logger, get_request_id

__all__ = ("add_request_id", "get_logger", "get_request_id")
