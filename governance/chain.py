"""The hash chain of docs/DECISIONS.md, as D-0002 defines it. Standard library only."""

try:  # the interpreter's own digest: loading OpenSSL through hashlib costs as much as the whole check
    from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore] # Python 3.12 and later
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found, no-redef, unused-ignore] # up to Python 3.11
    except ImportError:
        from hashlib import sha256  # type: ignore[assignment, unused-ignore] # an interpreter without either

FIRST = "0" * 64


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hex."""
    return str(sha256(data).hexdigest())


def seal(prev: str, body: str) -> str:
    """Return an entry's seal: the SHA-256 of prev, a line feed, and the entry from its heading to the last
    line before `- prev`, without trailing white space.
    """
    return digest(f"{prev}\n{body.rstrip()}".encode())


def is_seal(word: str) -> bool:
    """Say whether a word is a SHA-256 in lower-case hex."""
    return len(word) == 64 and not word.strip("0123456789abcdef")
