"""How an app's keys are spelled in Redis."""

import hashlib
import re

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def plain(key: str) -> str:
    """Return *key* if it is short and plain, else its hash, which no plain key can equal."""
    return key if _PLAIN.fullmatch(key) else "~" + hashlib.sha256(key.encode()).hexdigest()
