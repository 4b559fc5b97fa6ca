"""Rules on which documents there are and what stands in which. Standard library only."""

from governance import chain, documents
from governance.documents import BACKGROUND, PERFORMANCE
from governance.findings import Finding
from governance.reading import BOOTLOADER, Reading

ALLOWLIST = "allowlist"
APPROVAL = "bootloader"


def check(reading: Reading) -> list[Finding]:
    """Return the faults of E002 to E006."""
    found = []
    for path in reading.outside:
        finding = outsider(reading, path)
        if finding:
            found.append(finding)
    if BACKGROUND in reading.texts:
        found += bootloader(reading)
    for path, text in reading.texts.items():
        if path not in (documents.TODO, documents.DECISIONS):
            found += misplaced(path, text)
    return found


def outsider(reading: Reading, path: str) -> Finding | None:
    """E003 and W006: a document outside the read order needs a decision that lets it in, or to be a stub."""
    entries = reading.log.entries if reading.log else []
    if any(name == ALLOWLIST and new == path for entry in entries for name, _, new, _ in entry.sets):
        return None
    if is_stub(reading.root, path):
        return None
    home = home_of(path)
    sets = f"--sets 'allowlist none -> {path}'"
    allow = f"./run manage governance decide --kind conflict --title 'Allow {path}' {sets} …"
    merge = f"merge it into {home} and leave one line `DEPRECATED: see {home}`"
    if path == PERFORMANCE or any(path in entry.body for entry in entries):
        return Finding("W006", path, 1, "it stands outside the allowlist.", f"{allow}   or {merge}")
    return Finding(
        "E003", path, 1, f"no such document is allowed; this belongs in {home}.", f"{merge}, or git rm it"
    )


def is_stub(root: str, path: str) -> bool:
    """Say whether a file is only the sign that leads to where its content went."""
    try:
        text = documents.read(root, path)
    except documents.Unreadable:
        return False
    return text.startswith("DEPRECATED: see ") and text.count("\n") <= 2


def home_of(topic: str) -> str:
    """Return the document that a topic, or a document of that name, belongs in."""
    words = "".join(letter if letter.isalnum() else " " for letter in topic.lower()).split()
    wanted = {word.rstrip("s") for word in words}
    best, most = "docs/AGENT_BRIEF.md", 0
    for path, topics in documents.HOMES.items():
        known = {word.rstrip("s") for word in topics.lower().replace(",", " ").split()}
        hits = len(wanted & known)
        if hits > most:
            best, most = path, hits
    return best


def bootloader(reading: Reading) -> list[Finding]:
    """E002 and E004: the section is there, and is the one that the last decision about it approved."""
    text, line = reading.bootloader()
    if not text:
        hint = f"git checkout -- {BACKGROUND}"
        return [Finding("E002", BACKGROUND, 1, f"there is no section `{BOOTLOADER}`.", hint)]
    if reading.log is None:
        return []
    approved = reading.log.latest(APPROVAL)
    now = chain.digest(text.encode())
    if approved and approved[0] == now:
        return []
    old = approved[0] if approved else "none"
    message = (
        f"the BOOTLOADER is not the one that {approved[1].id} approved."
        if approved
        else "no decision approves it."
    )
    hint = (
        f"git checkout -- {BACKGROUND}   or ./run manage governance decide --title 'Change the BOOTLOADER' "
        f"--sets '{APPROVAL} {old} -> {now}' …"
    )
    return [Finding("E004", BACKGROUND, line, message, hint)]


def misplaced(path: str, text: str) -> list[Finding]:
    """E005: a heading whose content has its home in another document."""
    found = []
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            fenced = not fenced
        if fenced or not line.startswith("#"):
            continue
        title = line.lstrip("#").strip().lower()
        home = documents.HEADINGS.get(title) or entry_home(line)
        if home and home != path:
            hint = f"move the section to {home}, or name it for what it says"
            found.append(Finding("E005", path, number, f"'{line.lstrip('# ')}' belongs in {home}.", hint))
    return found


def entry_home(line: str) -> str:
    """Return the document of a heading that looks like a task's or a decision's, '' for any other."""
    start = line.lstrip("#").strip()[:6]
    if start[2:].isdigit() and len(start) == 6:
        return {"T-": documents.TODO, "D-": documents.DECISIONS}.get(start[:2], "")
    return ""
