"""One file, for one documented import path."""
