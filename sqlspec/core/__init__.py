"""From what the user wrote to what a driver wants, and back: no I/O, no asyncio, no driver, no dialect (facts.py)."""
