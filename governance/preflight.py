"""Looks at the documents before a management command, before Django loads. Standard library only.

This file is the warm way: names, times and sizes are as they were, so the kept verdict still holds. Whatever
takes longer is in gate.py and imported only then.
"""

import marshal
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENFORCE, WARN = "enforce", "warn"
ALWAYS = ("check", "help", "test", "version", "governance", "--help", "-h", "--version")
TRUE_WORDS = ("1", "true", "yes", "on")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "testserver")
DOCUMENT_ENDINGS = (".md", ".markdown", ".rst", ".adoc", ".org", ".txt", ".docx", ".pdf")
CACHE, BYPASSES, BYPASS = "governance.cache", "governance.bypasses", "GOVERNANCE_BYPASS"
# What a verdict is made by; a change in one of them makes it anew.
RULES = (
    "bypass.py",
    "chain.py",
    "decisions.py",
    "documents.py",
    "findings.py",
    "gate.py",
    "parser.py",
    "preflight.py",
    "reading.py",
    "rules/__init__.py",
    "rules/entries.py",
    "rules/places.py",
    "rules/tasks.py",
    "rules/titles.py",
    "todo.py",
)
done = False


def run(arguments: list[str]) -> None:
    """Let manage.py's command go on, or end the process with 2 and what mends the documents."""
    global done
    done = True
    command = arguments[1] if len(arguments) > 1 else "help"
    if command in ALWAYS or "--help" in arguments or "-h" in arguments:
        return
    try:
        found = verdict(ROOT)
        if not found and mode(ROOT) in (ENFORCE, WARN):
            return
        from governance import gate

        lines, blocked = gate.judge(command, found, ROOT)
    except Exception as error:  # a checker that fails must not be what stops a restore
        from governance import gate

        lines, blocked = gate.failed(error)
    if lines:
        print("\n".join(lines), file=sys.stderr)
    if blocked:
        sys.exit(2)


def verdict(root: str) -> "list[tuple[str, str, int, str, str, str]]":
    """Return what is wrong with a folder's documents, packed, from the cache where nothing changed since."""
    state = fingerprint(root)
    path = os.path.join(data_folder(root), CACHE)
    if not truthy("CI"):
        known = load(path)
        if known is not None and known[0] == state:
            return known[1]
    from governance import gate

    found = gate.first_look(root)
    gate.save(path, state, found)
    return found


def fingerprint(root: str) -> "tuple[object, ...]":
    """Return what a verdict depends on: name, times, size and inode of every document and of every rule."""
    here = os.path.dirname(os.path.abspath(__file__))
    facts: list[object] = [sys.version, root]
    look(root, DOCUMENT_ENDINGS, False, facts)
    look(os.path.join(root, "docs"), "", True, facts)
    for path in (*(os.path.join(here, rule) for rule in RULES), os.path.join(data_folder(root), BYPASSES)):
        try:
            seen = os.stat(path)
            facts.append((seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino))
        except FileNotFoundError:
            facts.append(None)
    return tuple(facts)


def look(folder: str, endings: "str | tuple[str, ...]", deep: bool, facts: "list[object]") -> None:
    """Add the facts of a folder's files with these endings, below it too where deep."""
    try:
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        facts.append(folder)
        return
    for entry in inside:
        if entry.name.lower().endswith(endings):
            seen = entry.stat(follow_symlinks=False)
            facts.append((entry.name, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino))
        if deep and entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
            look(entry.path, endings, deep, facts)


def load(path: str) -> "tuple[object, list[tuple[str, str, int, str, str, str]]] | None":
    """Return the kept verdict; None where there is none that this user alone could have written."""
    try:
        with open(path, "rb") as stream:
            seen = os.fstat(stream.fileno())
            if seen.st_uid != os.geteuid() or seen.st_mode & 0o022:
                return None
            return marshal.load(stream)  # type: ignore[no-any-return] # noqa: S302 - its owner is who runs this
    except (OSError, ValueError, EOFError, TypeError):
        return None


def data_folder(root: str) -> str:
    """Return HEALTHPILOT_VAR, by default var/ in the project."""
    return os.path.expanduser(os.environ.get("HEALTHPILOT_VAR", "").strip()) or os.path.join(root, "var")


def truthy(variable: str) -> bool:
    """Say whether an environment variable is switched on."""
    return os.environ.get(variable, "").strip().lower() in TRUE_WORDS


def mode(root: str) -> str:
    """Return whether a fault stops a command (enforce) or is only said (warn).

    HEALTHPILOT_GOVERNANCE decides where it is set. Else servers are never stopped, CI and a checkout that
    serves this machine alone are enforced, and whatever others can reach, or has no .git, is warned.
    """
    word = os.environ.get("HEALTHPILOT_GOVERNANCE", "").strip().lower()
    if word:
        return word
    if os.environ.get("HEALTHPILOT_ROLE", "command") not in ("", "command"):
        return WARN
    if truthy("CI"):
        return ENFORCE
    hosts = [host.strip() for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host.strip()]
    reachable = not truthy("DEBUG") and any(host not in LOOPBACK for host in hosts)
    return WARN if reachable or not os.path.exists(os.path.join(root, ".git")) else ENFORCE
