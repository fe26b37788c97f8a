"""Tools for the tests of those who build on SQLSpec. They need the extra ``testing``."""
