"""Make texts from outside safe to show on a terminal."""

import re

MAX_LENGTH = 8192
"""Characters of one text that are shown."""

# C0, DEL, C1, line and paragraph separators, bidirectional controls, invisible characters, tags and lone surrogates:
# all that can move a cursor, set a clipboard, hide text or reverse it.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    """Return *text* with each character that could control a terminal escaped, cut at `MAX_LENGTH`."""
    shown = _HOSTILE.sub(lambda match: _escape(match[0]), text[:MAX_LENGTH])
    return shown if len(text) <= MAX_LENGTH else f"{shown}…"


def as_text(argument: str) -> str:
    """Return *argument*, with an escape for each non-UTF-8 byte. No stored name has such a byte."""
    return argument.encode(errors="backslashreplace").decode()


def harmless_json(text: str) -> str:
    """Return JSON *text* of the same meaning, with each character that could control a terminal as a JSON escape."""
    return _HOSTILE.sub(lambda match: _escape_json(match[0]), text)


def _escape_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - Python's own escapes
