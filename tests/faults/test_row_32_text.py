"""Row 32: with hostile text in every field that is shown, a terminal gets no control sequence but the program's colours."""

import json
import re
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from faults.hostile import hostile, is_harmless
from rigs.inprocess import here
from rigs.terminal import Terminal, environment, record, write_records
from streamapp.cli.terminal.sanitize import MAX_LENGTH, printable
from streamapp.observe.tap_record import TapRecord

OURS = re.compile(r"\x1b\[[0-9;]*m")
LIVELY = re.compile(rb"\x1b\[(?:[0-9;]*m|2K|1A|\?25[lh])")
"""The control sequences of rich's progress bar: erase the line, up one line, hide and show the cursor."""


def test_what_is_printable_is_harmless_and_loses_nothing() -> None:
    """One filter stands between any producer and every operator's terminal."""
    for text in hostile(2_000):
        shown = printable(text)
        assert is_harmless(shown)
        assert is_harmless(printable("\ud83d" + text)), "a lone surrogate"
        assert all(piece in shown for piece in ("漢字かな", "é") if piece in text)
    assert len(printable("\x1b" * 100_000)) <= 4 * MAX_LENGTH + 1


def records(texts: list[str]) -> list[TapRecord]:
    """A record with a hostile text in each field that can hold one."""
    found: list[TapRecord] = []
    for number, text in enumerate(texts):
        fields = msgspec.json.decode(
            msgspec.json.encode(record(number, outcome=("ok", "retry", "dead")[number % 3]))
        )
        fields |= dict.fromkeys(("message_id", "event_type", "key", "reason", "detail", "worker"), text)
        fields["body"] = {text: [text]}
        fields["effects"] = (
            [{"table": text, "key": text, "fields": {text: [text, text]}}] if number % 2 else []
        )
        found.append(msgspec.json.decode(msgspec.json.encode(fields), type=TapRecord))
    return found


@pytest.fixture
def env(redis_url: str, prefix: str) -> dict[str, str]:
    """The environment of a tail with 2,000 hostile records, some of them in a queue with a hostile name."""
    env = environment(redis_url, f"{prefix}:")
    told = records(hostile(2_000))
    odd = [msgspec.structs.replace(it, queue="\x1b[2J\u202eq") for it in told[-5:]]
    write_records(redis_url, env["STREAMAPP_KEY_PREFIX"], [*told[:-5], *odd])
    return env


@pytest.mark.parametrize(
    "arguments", [["-o", "line"], ["-o", "pretty"], ["--color", "always"], ["--order", "x"]]
)
def test_a_pipe_gets_text_and_the_program_s_colours_only(env: dict[str, str], arguments: list[str]) -> None:
    """What is piped is shown on a terminal in the end."""
    done = here(env, "tail", "-n", "2000", "--no-follow", *arguments)

    assert done.returncode == 0
    lines = (OURS.sub("", done.stdout) if "always" in arguments else done.stdout).split("\n")
    assert all(is_harmless(line) for line in lines)
    if "pretty" not in arguments and "--order" not in arguments:
        assert len(lines) == 2_001, "each record is one line"
    assert is_harmless(done.stderr.replace("\n", ""))


@pytest.mark.parametrize("form", ["json", "raw"])
def test_json_is_ascii_and_whole(env: dict[str, str], form: str) -> None:
    """A program gets the text back unchanged, and a terminal gets no control sequence."""
    done = here(env, "tail", "-n", "2000", "--no-follow", "-o", form)

    lines = done.stdout.split("\n")[:-1]
    assert done.stdout.isascii()
    bodies = [json.loads(line) for line in lines]
    bodies = [it["body"] for it in bodies] if form == "json" else bodies
    assert Counter(map(str, bodies)) == Counter(str({text: [text]}) for text in hostile(2_000))
    assert all(is_harmless(line) for line in lines)


def test_a_terminal_shows_them_and_does_nothing_else(
    env: dict[str, str], figure: Callable[[str], None]
) -> None:
    """No cursor moves, no title, no clipboard, no link, and the bar stays where it was."""
    with Terminal(["tail", "-n", "2000"], env, columns=100, lines=30) as terminal:
        terminal.until("space pause", "▌ 2 queues")
        terminal.press("q")
        assert terminal.ended() == 0

        rest = LIVELY.sub(b"", terminal.raw)
        assert b"\x1b" not in rest
        assert all(is_harmless(line) for line in re.split("[\r\n]+", rest.decode()))
        assert terminal.screen.title == ""
        figure(
            f"2,000 hostile strings in 8 fields each, {len(terminal.raw):,} bytes written, 0 of them theirs"
        )
