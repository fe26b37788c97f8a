#!/usr/bin/env python3
"""Run the compliance suite on every adapter, and print the table of adapters and groups of rules.

    tools/compliance.py                 every adapter, on SQLite, DuckDB, PostgreSQL and MariaDB
    tools/compliance.py --db mysql9     the adapters of MySQL and MariaDB, on MySQL 9
    tools/compliance.py -- -k error     what follows ``--`` goes to pytest

Servers are found or started; one that can't be had is an error.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MYSQL = ("asyncmy", "aiomysql", "pymysql", "mysqlconnector", "mysqlconnector_sync")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the compliance suite on every adapter.")
    parser.add_argument("--db", choices=["mysql9"], help="MySQL 9 instead of MariaDB, and only its adapters")
    parser.add_argument("arguments", nargs="*", help="for pytest")
    options = parser.parse_args()
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--sqlspec-table", "sqlspec/testing/compliance"]
    environment = dict(os.environ)
    if options.db == "mysql9":
        environment["SQLSPEC_TEST_MYSQL"] = "mysql9"
        command += [part for name in MYSQL for part in ("--sqlspec-only", name)]
    return subprocess.run([*command, *options.arguments], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
