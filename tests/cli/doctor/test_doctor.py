"""`streamapp doctor` on real queues and a real Valkey, each broken in one way."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

import streamapp_agents
from rigs import behind
from rigs.inprocess import call
from rigs.shop import Sample, Shop
from streamapp.cli.demo.servers import redis_server
from streamapp.cli.doctor.checkup import Checkup, Finding
from streamapp.cli.doctor.command import worst_exit_code
from streamapp.config import Config
from streamapp.messages import Outgoing
from streamapp.observe.presence import Presence
from streamapp.redis.store import RedisStore
from streamapp.redis.tap import open_tap
from streamapp.state.store import Commit


async def look(shop: Shop) -> list[Finding]:
    """The findings of a check in this process, which is quicker than a new one."""
    findings: list[Finding] = []
    await Checkup(streamapp_agents.app, Config.load(shop.env), findings.append).run()
    return findings


def bad(findings: Sequence[Finding]) -> dict[tuple[str, str], Finding]:
    """The warnings and problems, by subject and mark, except that Valkey runs here without its append-only file."""
    return {(it.subject, it.mark): it for it in findings if it.mark != "ok" and "append-only" not in it.text}


@pytest.mark.usefixtures("one_server")
async def test_what_queues_create_makes_has_no_flaw(shop: Shop) -> None:
    """The cure that is shown most often must work."""
    findings = await look(shop)

    assert bad(findings) == {}
    assert {it.subject for it in findings} >= {"configuration", "SQS", "redis", "pedido-events"}
    assert worst_exit_code(findings, strict=False) == 0


@pytest.mark.parametrize(
    ("attributes", "mark", "words"),
    [
        ({"RedrivePolicy": ""}, "problem", "no redrive policy"),
        ({"VisibilityTimeout": "5"}, "warning", "visibility timeout 5 s"),
        ({"MessageRetentionPeriod": "1209600"}, "warning", "letters vanish"),
    ],
)
async def test_a_queue_that_was_changed_by_hand_is_reported_with_its_cure(
    shop: Shop, attributes: dict[str, str], mark: str, words: str
) -> None:
    """In AWS's console a queue is quickly changed."""
    await shop.aws.create(shop.names["produto-events"], attributes)

    findings = bad(await look(shop))

    assert list(findings) == [("produto-events", mark)]
    assert words in findings["produto-events", mark].text
    assert findings["produto-events", mark].cure == "streamapp queues create"


async def test_dead_letters_are_reported_with_the_command_that_shows_them(shop: Shop) -> None:
    """They are the most common reason for an order without progress."""
    letters = await shop.aws.find(f"{shop.names['pedido-events']}-dlq")
    await shop.aws.send(letters, [Outgoing("not json")])

    (finding,) = bad(await look(shop)).values()

    assert "1 dead letter in" in finding.text
    assert finding.cure == "streamapp dlq ls pedido-events"


async def test_messages_without_a_worker_are_reported_with_the_command_that_starts_one(shop: Shop) -> None:
    """The other common reason: the queue works, but no worker reads it."""
    await shop.send([Sample("pedido-events", "{}", "")])
    alone = bad(await look(shop))["workers", "warning"]
    queue = shop.names["pagamento-events"]
    there = Presence(
        worker="7f3a", host="h", pid=1, started=0, said=time.time(), queues=(queue,), in_hand={}, counts={}
    )
    async with open_tap(shop.env["REDIS_URL"], shop.key_prefix) as taps:
        await taps.beat(there)

    beside = bad(await look(shop))["workers", "warning"]

    assert "1 waiting in" in alone.text
    assert alone.cure == "streamapp worker"
    assert beside.cure.startswith("streamapp worker --agents ")


async def test_dropped_tap_records_are_reported(shop: Shop) -> None:
    """The history of an order may then have gaps."""
    queue = shop.names["pedido-events"]
    counts = {queue: {"ok": 9, "tap_dropped": 1200}}
    there = Presence(
        worker="7f3a",
        host="h",
        pid=1,
        started=0,
        said=time.time(),
        queues=(queue,),
        in_hand={},
        counts=counts,
    )
    async with open_tap(shop.env["REDIS_URL"], shop.key_prefix) as taps:
        await taps.beat(there)

    (finding,) = bad(await look(shop)).values()
    told = await call(shop.env, "status")
    as_json = json.loads((await call(shop.env, "status", "--json")).stdout)

    assert "1200 records of the tap were dropped" in finding.text
    assert "1,200 records dropped" in told.stdout
    assert as_json["tap_dropped"] == 1200


async def test_announcements_that_a_crash_left_pending_are_reported(shop: Shop, store: RedisStore) -> None:
    """Other services do not know of a change that was not announced."""
    owed = f'[1,{time.time() - 600},"1","x","{{}}"]'
    commit = Commit(f"{shop.key_prefix}acompanhamento:1", "", "t", {"_o:x": owed}, keep=True)
    await store.commit([commit])

    findings = bad(await look(shop))

    assert "1 pending for 1 keys, the oldest for 60" in findings["announcements", "warning"].text


@pytest.mark.usefixtures("one_server")
async def test_refused_announcements_are_reported_with_the_commands_that_send_them_again(
    shop: Shop, store: RedisStore
) -> None:
    """Otherwise other services would never know of that change."""
    key = f"{shop.key_prefix}acompanhamento:7"
    await store.commit(
        [Commit(key, "", "t", {"conhecido": "1", "_x:abc": f'[1,{time.time()},"7","x","{{\\"a\\":1}}"]'})]
    )

    (finding,) = bad(await look(shop)).values()
    shown = await call(shop.env, *finding.cure.split()[1:])
    send, forget = [line.strip() for line in shown.stdout.splitlines() if line.startswith("    ")]
    show, _, again = send.split(" | ")
    kept = json.loads((await call(shop.env, *show.split()[1:])).stdout)["refused"]
    sent = await call(shop.env, *again.split()[1:], typed="\n".join(kept).encode())
    program, *rest = forget.split()
    assert program == "redis-cli"
    with behind.blocking(shop.env["REDIS_URL"]) as client:
        client.execute_command(*rest[rest.index("HDEL") :])

    assert "announcements of 1 keys were refused" in finding.text
    assert kept == ['{"a":1}']
    assert sent.stdout.startswith("sent 1 to acompanhamento-events")
    assert bad(await look(shop)) == {}


async def test_a_missing_queue_is_exit_code_2_and_the_rest_is_still_checked(shop: Shop) -> None:
    """One run must show all problems."""
    shop.env["PEDIDO_QUEUE_URL"] = "nowhere"

    shown = await call(shop.env, "doctor", "--json")

    findings = {it["subject"]: it for it in json.loads(shown.stdout)["findings"]}
    assert shown.returncode == 2, shown.stderr
    assert "queue nowhere does not exist" in findings["pedido-events"]["text"]
    assert "streamapp queues create, or set PEDIDO_QUEUE_URL" in findings["pedido-events"]["cure"]
    assert findings["pagamento-events"]["mark"] == "ok"
    assert any(subject.startswith("redis") for subject in findings)  # each member of a cluster by itself


async def test_a_redis_that_does_not_answer_is_exit_code_3_and_the_rest_is_still_checked(shop: Shop) -> None:
    """The queues may work without Redis."""
    shop.env["REDIS_URL"] = "redis://:canary@localhost:1/0"

    shown = await call(shop.env, "doctor")

    assert shown.returncode == 3
    assert "✗ redis" in shown.stdout
    assert "✓ pedido-events" in shown.stdout
    assert "canary" not in shown.stdout + shown.stderr
    assert "\x1b" not in shown.stdout


async def test_a_redis_that_evicts_is_a_problem_and_exit_code_1(shop: Shop) -> None:
    """Only customers notice when state is evicted."""
    with redis_server("--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb") as url:
        shop.env["REDIS_URL"] = url
        findings = await look(shop)

    assert "allkeys-lru can evict state" in bad(findings)["redis", "problem"].text
    assert worst_exit_code(findings, strict=False) == 1


@pytest.mark.usefixtures("one_server")
async def test_warnings_fail_only_with_strict(shop: Shop) -> None:
    """CI may be stricter than a person."""
    findings = await look(shop)

    assert [it.mark for it in findings if it.mark != "ok"] == ["warning"], "append-only is off here"
    assert worst_exit_code(findings, strict=False) == 0
    assert worst_exit_code(findings, strict=True) == 1


async def test_a_check_changes_nothing(shop: Shop) -> None:
    """It must be safe to run at any time."""
    await shop.send([Sample("pedido-events", "{}", "")])
    before: list[Any] = [await shop.counts("pedido-events"), await shop.dump()]

    await look(shop)

    assert [await shop.counts("pedido-events"), await shop.dump()] == before
