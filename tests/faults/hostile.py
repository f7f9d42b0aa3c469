"""Texts that attack the terminal, the log or the shell of a person who looks at them."""

import unicodedata
from random import Random

PIECES = [
    *(chr(code) for code in (*range(32), *range(0x7F, 0xA0))),
    "\x1b[2J",
    "\x1b[31m",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x1b]8;;http://evil.example\x1b\\",
    "\x1b]0;title\x07",
    "\x1bP+q\x1b\\",
    "\x9b31m",
    "\x1b[6n",
    "\r\n",
    "\r",
    "\u202eevil\u202c",
    "\u2066\u2069\u200e\u200f\u061c",
    "\u2028\u2029\u0085",
    "\U000e0041\U000e007f",
    "\ufeff\u200b\u2060",
    "[red]x[/red]",
    "[/oops]",
    "[link=http://evil.example]x[/link]",
    ":smile:",
    "\u0301\u0302\u0303",
    "漢字かな",
    "👩\u200d👩\u200d👧",
    "é",
    "a" * 300,
    "%s{0}",
    "\\x1b[31m",
]


def hostile(number: int) -> list[str]:
    """Return that many strings, each made of a few hostile pieces."""
    luck = Random(32)
    return ["".join(luck.choices(PIECES, k=luck.randint(1, 5))) for _ in range(number)]


def is_harmless(text: str) -> bool:
    """Whether *text* has no control characters."""
    return not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text) and not any(
        c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
        or 0xE0000 <= ord(c) < 0xE0080
        for c in text
    )
