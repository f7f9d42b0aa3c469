"""The command line as people use it."""

import json
import subprocess
import sys

import pytest

from rigs.shop import STREAMS, Shop, ended, until


def run(shop: Shop, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    command = [sys.executable, "-m", "streamapp", *arguments]
    return subprocess.run(
        command, env=shop.env, input=typed, capture_output=True, text=True, check=False, timeout=50
    )


async def test_queues_create_makes_what_the_worker_needs_and_may_be_repeated(shop: Shop) -> None:
    """A new user has one command, and no fear of it."""
    first, second = run(shop, "queues", "create"), run(shop, "queues", "create")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout == second.stdout
    for stream in STREAMS:
        attributes = await shop.aws.attributes(await shop.aws.find(shop.names[stream]))
        redrive = json.loads(attributes["RedrivePolicy"])
        assert int(redrive["maxReceiveCount"]) == 5 + 3
        assert redrive["deadLetterTargetArn"].endswith(f"{shop.names[stream]}-dlq")
    shop.env["PYTHONWARNINGS"] = "always::ResourceWarning"
    check = run(shop, "worker", "--check")
    assert check.returncode == 0
    assert "ready" in check.stderr
    assert "ResourceWarning" not in check.stderr


async def test_queues_are_created_in_a_real_account_only_when_told_to(shop: Shop) -> None:
    """A forgotten variable must not build queues that somebody pays for."""
    shop.env["AWS_ENDPOINT_URL_SQS"] = "https://sqs.eu-west-1.example.com"

    refused = run(shop, "queues", "create")

    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


async def test_what_is_missing_is_credentials_where_nobody_was_asked(shop: Shop) -> None:
    """An endpoint that was never called does not answer; to look whether it is up would be in vain."""
    for name in ("AWS_ENDPOINT_URL_SQS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del shop.env[name]
    shop.env |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"}

    refused = run(shop, "queues", "create", "--yes")

    assert refused.returncode == 2
    assert "no credentials were found; set AWS_PROFILE" in refused.stderr
    assert "AWS_ENDPOINT_URL_SQS right" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


async def test_send_puts_in_one_message_or_many_and_refuses_what_nobody_could_process(shop: Shop) -> None:
    """A typo is found before it is a dead letter."""
    body = '{"event_type":"pedido_status_atualizado","data":{"id_pedido":1,"status":"Pronto"}}'
    shop.env["PEDIDO_QUEUE_URL"] = shop.names["pedido-events"]

    one = run(shop, "send", "pedido-events", body)
    many = run(shop, "send", "pedido-events", "-", typed=f"{body}\n\n{body}\n")
    bad = run(shop, "send", "pedido-events", '{"event_type":"pedido_criado","data":{}}')
    forced = run(shop, "send", "--no-validate", "pedido-events", "not json")

    assert one.returncode == 0, one.stderr
    assert one.stdout == f"sent 1 to pedido-events ({len(body)} B)\n"
    assert many.stdout == f"sent 2 to pedido-events ({2 * len(body)} B)\n"
    assert bad.returncode == 2
    assert "missing_field" in bad.stderr
    assert forced.returncode == 0
    assert await shop.counts("pedido-events") == (4, 0)


async def test_seed_sends_what_expect_says_will_come_out(shop: Shop) -> None:
    """A made-up rush with faults is its own oracle."""
    rush = [
        "seed",
        "--orders",
        "12",
        "--seed",
        "5",
        "--duplicates",
        "0.2",
        "--reorder",
        "0.3",
        "--invalid",
        "0.05",
    ]

    shop.env["FORCE_COLOR"] = "1"  # as CI does, where nothing can be drawn in place
    wanted = json.loads(run(shop, *rush, "--expect").stdout)
    sent = run(shop, *rush)
    await shop.process()

    assert (sent.returncode, sent.stderr) == (0, "")
    assert sent.stdout.startswith("12 orders · ")
    for table, expected in wanted.items():
        hashes = await shop.hashes(table)
        for key, fields in expected.items():
            assert {name: hashes[key].get(name) for name in fields} == fields, (table, key)


async def test_seed_fills_fifo_queues_too(shop: Shop) -> None:
    """They refuse what has no deduplication id, and would swallow the duplicates of one that is the body's."""
    shop.env["PAGAMENTO_QUEUE_URL"] = f"{shop.names['pagamento-events']}.fifo"
    assert run(shop, "queues", "create").returncode == 0

    sent = run(shop, "seed", "--orders", "5", "--duplicates", "1", "--json")
    queue = await shop.aws.find(shop.env["PAGAMENTO_QUEUE_URL"])

    assert sent.returncode == 0, sent.stderr
    waiting = int((await shop.aws.attributes(queue))["ApproximateNumberOfMessages"])
    assert waiting == json.loads(sent.stdout)["queues"]["pagamento-events"]


async def test_only_the_agents_asked_for_run(shop: Shop) -> None:
    """One service may be scaled without the others."""
    with shop.running("--agents", "pagamentos") as worker:
        await until(worker, "ready")
        await shop.send([])
    unknown = run(shop, "worker", "--agents", "nobody")

    assert unknown.returncode == 2
    assert "pedidos, pagamentos, catalogo" in unknown.stderr


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("STREAMAPP_CONCURRENCY", "many", "a whole number"),
        ("STREAMAPP_NAIVE_TZ", "Mars/Olympus", "a time zone"),
        ("REDIS_URL", "http://x", "redis://"),
        ("STREAMAPP_DURABILITY", "eventually", "replicated:N"),
        ("ACOMPANHAMENTO_INICIO", "talvez", "automatico or manual"),
        ("LOG_LEVEL", "loud", "debug"),
    ],
)
async def test_a_bad_setting_names_its_variable_and_what_was_expected(
    shop: Shop, name: str, value: str, expected: str
) -> None:
    """Nobody should have to read code to find out what a variable takes."""
    shop.env[name] = value

    worker = shop.start("--check")
    errors = await ended(worker)

    assert worker.returncode == 2
    assert name in errors
    assert expected in errors
    assert len(errors.splitlines()) == 1


async def test_an_unknown_setting_is_a_warning_with_the_nearest_match(shop: Shop) -> None:
    """A typo in a variable would otherwise be a silent default."""
    shop.env["STREAMAPP_CONCURENCY"] = "5"

    worker = shop.start("--check")
    errors = await ended(worker)

    assert worker.returncode == 0
    assert "STREAMAPP_CONCURRENCY" in errors


async def test_an_app_of_ones_own_runs(shop: Shop, tmp_path: object) -> None:
    """The framework is for everybody's queues."""
    with open(f"{tmp_path}/hits.py", "w") as file:
        file.write(
            "import msgspec\n"
            "from streamapp import App, Stream\n"
            "from streamapp_codecs import Json\n"
            "class Hit(msgspec.Struct):\n    page: str\n"
            "app = App('hits')\n"
            "@app.agent('hits', Json(Hit))\n"
            "async def count(hits: Stream[Hit]) -> None:\n    async for hit in hits:\n        pass\n"
        )
    shop.env["PYTHONPATH"] = str(tmp_path)
    shop.env["HITS_QUEUE_URL"] = f"{shop.names['pedido-events']}-hits"

    created = run(shop, "queues", "create", "--app", "hits:app")
    sent = run(shop, "send", "--app", "hits:app", "hits", '{"page":"/"}')
    worker = shop.start("--app", "hits:app", "--exit-when-idle", "1")
    logs = await ended(worker)

    assert created.returncode == sent.returncode == worker.returncode == 0, (
        created.stderr + sent.stderr + logs
    )
    assert '"ok":1' in logs
