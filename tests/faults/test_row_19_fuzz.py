"""Row 19: whatever a body is, each of the three codecs returns a `Decoded`, and quickly."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from streamapp_codecs import REASONS, Decoded, Origin, pagamento, pedido, produto
from streamapp_codecs.dominio.eventos import EventoPedido, EventoProduto

SHORT, LONG = 1.0, 600.0
"""Seconds."""

SLOW = 0.5
"""Seconds that no body of the fuzzer's size may take; a slower one would block the event loop."""

CODECS = (pedido.codec, pagamento.codec, produto.codec)
LINES = (Path(__file__).parent.parent / "data" / "messages.jsonl").read_text("utf-8").splitlines()
SAMPLES = [json.loads(line)["body"] for line in LINES]


def parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Return each key of *value* with its values, JSON inside text included."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, dict):
        yield from value.items()
        value = list(value.values())
    for under in value if isinstance(value, list) else ():
        yield from parts(under)


found = [each for body in SAMPLES for each in parts(body)]
keys = st.sampled_from(sorted({key for key, _ in found})) | st.text(max_size=8)
words = st.sampled_from(sorted({value for _, value in found if isinstance(value, str)}))
odd = st.sampled_from(
    [
        *("", " ", "null", "NaN", "1e999", "-0", "\x00", "\ud800", "\u202e", "é" * 40, "9" * 300),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "31/02/2025", "24:00:00", "1.234.567,89"),
    ]
)
numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 2**53, 2**63, 2**64, 10**400, 1e-320])
leaves = st.none() | st.booleans() | numbers | words | odd | st.text(max_size=12)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=6)
        | inner.map(json.dumps)
        | inner.map(lambda it: {"event_type": "pedido_criado", "data": it})
        | inner.map(lambda it: {"Type": "Notification", "Message": json.dumps(it)})
    ),
    max_leaves=25,
)
PIECES = [
    *('"', "{", "}", "[", "]", ",", ":", "\\", "\\u", "\\ud800", "\ufeff", "\x00", "0", "-", "9" * 400),
    *("null", "true", "[]", "{}", '""', "1e999", "NaN", "é", "\ud800", "[" * 2000, '{"a":' * 900, '"data":'),
]
bodies = (
    values.map(json.dumps)
    | st.text(max_size=80)
    | st.lists(st.sampled_from(PIECES) | leaves.map(json.dumps), max_size=12).map("".join)
)
attributes = st.dictionaries(st.sampled_from(["event_type", "eventType", "x"]), words | odd, max_size=2)


def damaged(luck: Random) -> str:
    """Return a sample with up to six random changes: most bad messages were good ones once."""
    body = luck.choice(SAMPLES)
    for _ in range(luck.randint(1, 6)):
        start = luck.randint(0, len(body))
        end = min(len(body), start + luck.choice([0, 0, 1, 2, 20]))
        piece = luck.choice(PIECES) if luck.random() < 0.7 else body[max(0, start - 30) : start]
        body = body[:start] + piece + body[end:]
    return body


class Fuzzer:
    """Decodes by each codec, and counts the results."""

    def __init__(self) -> None:
        self.done = 0
        self.slowest = 0.0
        self.slowest_bytes = 0

    def decode(self, body: str, said: dict[str, str]) -> None:
        """Decode a body, and check that all of the result can be used."""
        sent_at = datetime(2025, 7, 28, 18, tzinfo=UTC)
        origin = Origin(queue="q", message_id="m", sent_at=sent_at, attributes=said)
        for codec in CODECS:
            # CPU time, so that other load of the machine does not count.
            began = time.thread_time()
            decoded = codec.decode(body, origin)
            took = time.thread_time() - began
            if took > self.slowest:  # clock: a figure
                self.slowest, self.slowest_bytes = took, len(body)
            self.done += 1
            assert isinstance(decoded, Decoded)
            assert all(isinstance(event, EventoPedido | EventoProduto) for event in decoded.events)
            assert decoded.error is None or decoded.error.reason in REASONS
            assert decoded.events or decoded.skipped or decoded.error is not None

    def run(self, number: int) -> None:
        """Decode the bodies that one seed generates, and the samples that it damages."""

        @seed(number)
        @settings(max_examples=100, deadline=None, database=None, suppress_health_check=[*HealthCheck])
        @given(bodies, attributes)
        def made_up(body: str, said: dict[str, str]) -> None:
            self.decode(body, said)

        made_up()
        luck = Random(number)
        for _ in range(1_000):
            body = damaged(luck)
            try:
                self.decode(body, {})
            except BaseException:
                print(repr(body))  # noqa: T201 - it tells how to reproduce the failure
                raise


@pytest.mark.timeout(900)
def test_only_decoded_comes_back_from_any_body(long: bool, figure: Callable[[str], None]) -> None:
    """A codec that raises would end a message without a reason, or stop its agent."""
    fuzzer, rounds, began = Fuzzer(), 0, time.monotonic()
    while time.monotonic() - began < (LONG if long else SHORT):  # clock: how long the row lasts
        fuzzer.run(rounds)
        rounds += 1

    figure(
        f"{fuzzer.done} decodes in {time.monotonic() - began:.0f} s, nothing but Decoded came back, "
        f"slowest {fuzzer.slowest * 1000:.1f} ms, for {fuzzer.slowest_bytes} characters"
    )
    if long:
        assert fuzzer.slowest < SLOW  # clock: the row's figure
