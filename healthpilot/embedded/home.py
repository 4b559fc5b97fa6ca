"""Where the embedded pair lives: its folders, who owns them, and the system user that PostgreSQL needs
when run by root.
"""

import hashlib
import os
import pwd
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHORT_FOLDER = Path("/tmp")  # noqa: S108 - what is made in it is private and checked
SYSTEM_USER = "healthpilot-db"
STAND_INS = ("postgres", "nobody")
Say = Callable[[str], None]


class EmbeddedError(Exception):
    """The embedded pair cannot run; the message is one line that says why and what to do."""


@dataclass(frozen=True)
class Home:
    """The places of one copy's embedded pair: everything follows from its data folder.

    The socket folder lies in /tmp under a short name, because a socket's path ends at about 107 bytes
    however deep the data folder is.
    """

    var: Path

    @property
    def sockets(self) -> Path:
        return SHORT_FOLDER / f"hp-{hashlib.sha256(os.fsencode(self.var)).hexdigest()[:12]}"

    @property
    def postgres(self) -> Path:
        return self.var / "postgres"

    @property
    def valkey(self) -> Path:
        return self.var / "valkey"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        return f"postgresql://healthpilot@/healthpilot?host={self.sockets}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.valkey_socket}"


@dataclass(frozen=True)
class Owner:
    """The account that runs the servers and owns their files."""

    uid: int
    gid: int

    def run(self, command: Sequence[str], *, limit_s: float) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, private files only, its output kept.

        Raises TimeoutExpired after limit_s seconds.
        """
        as_other: dict[str, Any] = (
            {"user": self.uid, "group": self.gid, "extra_groups": []} if self.uid != os.geteuid() else {}
        )
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            cwd="/",
            umask=0o077,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            **as_other,
        )

    def take(self, path: Path) -> None:
        """Make this account the owner of a file or folder, where we may."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)


def make_folder(path: Path) -> None:
    """Make a private folder and those above it; one line when that fails or it is not writable."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"Cannot make the folder {path}: {error.strerror}. Set HEALTHPILOT_VAR to another place."
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise EmbeddedError(
            f"Cannot write in {path}: run as its owner, or set HEALTHPILOT_VAR to another place."
        )


def make_sockets(home: Home, owner: Owner) -> None:
    """Make the private socket folder, or make sure that the one there is ours and nobody else can
    enter it.
    """
    try:
        home.sockets.mkdir(mode=0o700)
        owner.take(home.sockets)
    except FileExistsError:
        pass
    found = home.sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.uid or found.st_mode & 0o077:
        raise EmbeddedError(
            f"{home.sockets} is there but is not a private folder of uid {owner.uid}: remove it, "
            f"or set HEALTHPILOT_VAR to another place."
        )


def database_owner(home: Home, programs: Sequence[Path], say: Say) -> Owner:
    """Return who runs the servers: ourselves, or for root (which PostgreSQL refuses) the data's owner
    or a system user.

    As root the folders above the data and the programs are opened for passage (o+x, never for reading), and
    that is said.
    """
    make_folder(home.log)
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    owner = owner_of(home.postgres) or system_user()
    opened = [folder for path in (home.log, *programs) for folder in open_passage(path)]
    for path in programs:
        open_for_reading(path)
    if opened:
        where = ", ".join(str(path) for path in opened)
        say(
            f"Running as root: PostgreSQL and Valkey run as uid {owner.uid}; opened for passage "
            f"(o+x): {where}"
        )
    return owner


def owner_of(path: Path) -> Owner | None:
    """Return the account that owns a folder, unless it is missing or root's."""
    if not path.exists() or path.stat().st_uid == 0:
        return None
    return Owner(path.stat().st_uid, path.stat().st_gid)


def system_user() -> Owner:
    """Return the system user for the servers, made when missing.

    Another powerless account where none can be made.
    """
    command = [
        "useradd",
        "--system",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
    ]
    for name in (SYSTEM_USER, *STAND_INS):
        try:
            return account(name)
        except KeyError:
            if name == SYSTEM_USER:
                attempt([*command, name])
        try:
            return account(name)
        except KeyError:
            continue
    raise EmbeddedError(
        f"No system user for PostgreSQL: run `{' '.join(command)} {SYSTEM_USER}`, or start as "
        f"another user than root."
    )


def account(name: str) -> Owner:
    """Return the account of that name; raises KeyError."""
    entry = pwd.getpwnam(name)
    return Owner(entry.pw_uid, entry.pw_gid)


def attempt(command: Sequence[str]) -> None:
    """Run a command that may fail or be missing."""
    try:
        subprocess.run(command, capture_output=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        pass


def open_passage(path: Path) -> list[Path]:
    """Let others pass through a folder and all above it; returns those that were shut."""
    opened = []
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if folder.is_dir() and not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            opened.append(folder)
    return opened


def open_for_reading(programs: Path) -> None:
    """Let others read and run installed programs, which a strict umask at installation forbids."""
    paths = [programs, *programs.rglob("*")] if programs.is_dir() else [programs]
    for path in paths:
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(wanted)
