"""Programs of Debian's packages, unpacked beside the system: nothing is installed, and no rights are needed.

A package of any suite comes with all that it needs, down to the C library and its loader, so a newer suite's programs
run here, too. The mirror is the one that this machine's apt uses. What was unpacked is kept in
``$XDG_CACHE_HOME/sqlspec`` (``~/.cache/sqlspec``); remove the folder to have it fetched again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlspec.servers.ways import NotToBeHad

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec.servers.process import Account

__all__ = ("Unpacked", "is_possible_here", "unpacked")

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Where packages were unpacked: a file system without a machine."""

    root: Path

    def program(self, name: str) -> tuple[str, ...]:
        """The command line that runs a program of theirs, with their loader and their libraries.

        Raises:
            NotToBeHad: They have none of this name.
        """
        found = [path for folder in ("usr/sbin", "usr/bin") if (path := self.root / folder / name).exists()]
        loaders = self._glob("ld-linux*.so.*")
        if not found or not loaders:
            message = f"{self.root} has no program {name}, or no loader for it"
            raise NotToBeHad(message)
        libraries = dict.fromkeys(str(path.parent) for path in self._glob("*.so*"))
        return str(loaders[0]), "--library-path", ":".join(libraries), str(found[0])

    def _glob(self, name: str) -> list[Path]:
        """Files where libraries are: Debian had them in /lib, before it had all in /usr."""
        folders = ("usr/lib*", "usr/lib/*-linux-gnu*", "usr/lib/*/private", "lib*", "lib/*-linux-gnu*")
        return [path for folder in folders for path in sorted(self.root.glob(f"{folder}/{name}"))]

    def reachable(self, folder: Path, account: Account | None) -> Unpacked:
        """These, or a copy in the folder if the account may not go there (below root's home, say)."""
        if account is None or account.may_run(self.root / "usr"):
            return self
        copy = folder / "programs"
        shutil.copytree(self.root, copy, symlinks=True, copy_function=_linked)
        return Unpacked(copy)


def is_possible_here() -> None:
    """Has this machine what it takes?

    Raises:
        NotToBeHad: It has not.
    """
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            message = f"this machine has no {program}"
            raise NotToBeHad(message)
    if not KEYRING.exists():
        message = f"this machine has no {KEYRING}, by which Debian's packages are known to be genuine"
        raise NotToBeHad(message)


def cached(package: str, suite: str) -> Path:
    """Where it is kept, if it was fetched before."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sqlspec" / f"{package}-{suite}"


def unpacked(package: str, suite: str, say: Callable[[str], None]) -> Unpacked:
    """A package and all that it needs: from the cache, else fetched.

    Raises:
        NotToBeHad: It can't be fetched.
    """
    kept = cached(package, suite)
    if not kept.exists():
        say(f"Fetching {package} of Debian {suite} into {kept.parent} (up to a minute) ...")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{kept.name}-", dir=kept.parent) as work:
            root = Path(work) / "root"
            _fetch(package, suite, Path(work), root)
            try:
                root.rename(kept)
            except OSError:
                if not kept.exists():  # else somebody was faster
                    raise
    return Unpacked(kept)


def _fetch(package: str, suite: str, work: Path, root: Path) -> None:
    """Download with an apt that knows nothing of what is installed here, and unpack."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n")
    settings = {
        "Dir::Etc::SourceList": work / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::Etc::Preferences": "-",
        "Dir::Etc::PreferencesParts": "-",
        "Dir::State": work / "state",
        "Dir::State::Status": work / "status",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    apt = ["apt-get", "-qq", *(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))]
    _run([*apt, "update"])
    _run([*apt, "install", "--yes", "--download-only", "--no-install-recommends", package])
    root.mkdir()
    for archive in (work / "cache" / "archives").glob("*.deb"):
        _run(["dpkg", "-x", str(archive), str(root)])


def _mirror() -> str:
    """The mirror that this machine's apt has its packages from."""
    lines = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]).splitlines()
    mirrors = [line for line in lines if line.startswith("http") and "security" not in line]
    if not mirrors:
        message = "apt knows no mirror of Debian on this machine"
        raise NotToBeHad(message)
    return mirrors[0]


def _run(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        step = next((part for part in command[1:] if part in {"update", "install"}), "")
        message = f"{command[0]} {step} failed: {(done.stderr or done.stdout).strip()[-500:]}"
        raise NotToBeHad(message)
    return done.stdout


def _linked(source: str, target: str) -> None:
    """A hard link costs nothing; where that is not possible, a copy."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
