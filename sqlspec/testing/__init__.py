"""Tools for the tests of those who build on SQLSpec. Needs pytest and pytest-asyncio."""
