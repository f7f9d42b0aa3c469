"""`demo --keep` in one terminal, and commands that look at it in another: all show the same."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rigs.inprocess import call
from rigs.terminal import bare

PLAIN = bare()


class Kept:
    """A demo that stays up, and the summary that it printed."""

    def __init__(self, demo: subprocess.Popen[str]) -> None:
        assert demo.stdout is not None
        self.env, self.told = dict(PLAIN), ""
        for line in demo.stdout:
            self.told += line
            if export := re.match(r"\s+export (\w+)=(\S+)", line):
                self.env[export[1]] = export[2]
            if "streamapp seed" in line:
                break

    def number(self, words: str) -> int:
        """The number that stands before *words* in the summary."""
        found = re.findall(rf"(\d+) {words}", self.told)
        assert found, self.told
        return int(found[-1])


@pytest.fixture
def kept() -> Iterator[Kept]:
    """The demo, once it has printed how to reach it."""
    command = [sys.executable, "-m", "streamapp", "demo", "--orders", "6", "--keep"]
    with subprocess.Popen(command, env=PLAIN, stdout=subprocess.PIPE, text=True) as demo:
        try:
            yield Kept(demo)
        finally:
            demo.terminate()
            assert demo.wait(timeout=30) == 0


@pytest.mark.timeout(240)
async def test_the_demo_and_the_commands_that_look_at_it_show_the_same(kept: Kept) -> None:
    """Views that differ are worthless. In a pipe, the demo is plain lines."""
    board = json.loads((await call(kept.env, "board", "--json")).stdout)["columns"]
    status = json.loads((await call(kept.env, "status", "--json")).stdout)
    letters = json.loads((await call(kept.env, "dlq", "ls", "--json")).stdout)["queues"]
    shown = {
        card["key"]: json.loads((await call(kept.env, "show", card["key"], "--json")).stdout)
        for cards in board.values()
        for card in cards[:2]
    }

    assert "every final state is what the events imply" in kept.told
    assert "\x1b" not in kept.told
    inputs = [queue for queue in status["queues"] if queue["dead_letters"] is not None]
    done = sum(queue[word] for queue in inputs for word in ("ok", "duplicate", "skipped", "dead"))
    assert done == kept.number("events")
    assert sum(queue["duplicate"] for queue in inputs) == kept.number("duplicates absorbed")
    assert sum(queue["dead"] for queue in inputs) == kept.number("dead letters")
    assert sum(queue["dead_letters"] for queue in inputs) == kept.number("dead letters")
    assert sum(box["letters"] for box in letters) == kept.number("dead letters")
    assert sum(queue["sent"] for queue in status["queues"]) == kept.number("announcements")
    assert [(queue["waiting"], queue["in_flight"]) for queue in inputs] == [(0, 0)] * 3
    assert len(status["workers"]) == 1
    for column, cards in board.items():
        for card in cards[:2]:
            story = shown[card["key"]]
            assert story["state"]["status"] == column
            assert story["pending"] == 0
            sent = [event for event in story["events"] if event["outcome"] == "sent"]
            assert len(sent) == int(story["state"]["versao"])
