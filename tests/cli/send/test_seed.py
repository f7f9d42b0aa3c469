"""`streamapp seed`."""

import json

from rigs.shop import Shop


async def test_seed_sends_what_expect_says_will_come_out(shop: Shop) -> None:
    """A generated rush knows its result, whatever faults are in it."""
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

    shop.env["FORCE_COLOR"] = "1"  # as in CI, where nothing can be redrawn in place
    wanted = json.loads(shop.run(*rush, "--expect").stdout)
    sent = shop.run(*rush)
    await shop.process()

    assert (sent.returncode, sent.stderr) == (0, "")
    assert sent.stdout.startswith("12 orders · ")
    for table, expected in wanted.items():
        hashes = await shop.hashes(table)
        for key, fields in expected.items():
            assert {name: hashes[key].get(name) for name in fields} == fields, (table, key)


async def test_seed_fills_fifo_queues_too(shop: Shop) -> None:
    """They refuse messages without a deduplication id, and drop duplicates that have the same one."""
    shop.env["PAGAMENTO_QUEUE_URL"] = f"{shop.names['pagamento-events']}.fifo"
    assert shop.run("queues", "create").returncode == 0

    sent = shop.run("seed", "--orders", "5", "--duplicates", "1", "--json")
    queue = await shop.aws.find(shop.env["PAGAMENTO_QUEUE_URL"])

    assert sent.returncode == 0, sent.stderr
    waiting = int((await shop.aws.attributes(queue))["ApproximateNumberOfMessages"])
    assert waiting == json.loads(sent.stdout)["queues"]["pagamento-events"]
