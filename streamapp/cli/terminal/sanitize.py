"""One filter for every text from outside that a terminal is shown."""

import re

LONGEST = 8192
"""Characters of one text that are shown."""

# C0, DEL, C1, line and paragraph separators, bidirectional controls, what is invisible, tags and lone surrogates: all
# that can move a cursor, set a clipboard, hide text or turn it round.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    """Return *text* with what a terminal might act on made visible, and cut at `LONGEST`."""
    shown = _HOSTILE.sub(lambda match: _escape(match[0]), text[:LONGEST])
    return shown if len(text) <= LONGEST else f"{shown}…"


def as_text(argument: str) -> str:
    """Return *argument* with each byte that is no UTF-8 spelled out: what is looked for under it is not there."""
    return argument.encode(errors="backslashreplace").decode()


def harmless_json(text: str) -> str:
    """Return JSON *text*, which means the same, with what a terminal might act on spelled as JSON's escapes."""
    return _HOSTILE.sub(lambda match: _escape_json(match[0]), text)


def _escape_json(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - Python's own escapes
