"""A copy of the whole repository in which commands run as a person runs them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from governance.documents import GOVERNED

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis", "test-results", "images", "plotly"
)
DECIDING = (
    "HEALTHPILOT_GOVERNANCE",
    "HEALTHPILOT_ROLE",
    "CI",
    "DEBUG",
    "ALLOWED_HOSTS",
    "GOVERNANCE_BYPASS",
    "PYTHONDONTWRITEBYTECODE",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
)


@dataclass
class Clone:
    """The copy; kept holds the documents as they came."""

    root: Path
    kept: dict[str, bytes] = field(default_factory=dict)

    @property
    def var(self) -> Path:
        return self.root / "var"

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the copy; of what decides a mode the environment holds only what is given."""
        inherited = {name: value for name, value in os.environ.items() if name not in DECIDING}
        own = {"HEALTHPILOT_VAR": str(self.var), "PYTHONPATH": str(self.root)}
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=inherited | own | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run manage.py."""
        return self.run("manage.py", *arguments, **environment)

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text, encoding="utf-8")

    def restore(self) -> None:
        """Put the documents back, and forget what commands left in the data folder."""
        for path in (*self.root.glob("docs/*"), *self.root.glob("*.md")):
            if path.is_symlink() or str(path.relative_to(self.root)) not in self.kept:
                path.unlink()
        for name, content in self.kept.items():
            (self.root / name).write_bytes(content)
        for path in self.var.glob("governance.*"):
            path.unlink()


def copy(source: Path, target: Path) -> Clone:
    """Return a copy of a repository that counts as a checkout."""
    shutil.copytree(source, target, ignore=LEFT_OUT)
    (target / ".git").mkdir()
    (target / ".git" / "HEAD").write_text("ref: refs/heads/work\n")
    (target / "var").mkdir()
    paths = [*GOVERNED, "README.md"]
    return Clone(target, {path: (target / path).read_bytes() for path in paths})
