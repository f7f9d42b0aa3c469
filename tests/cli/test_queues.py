"""`streamapp queues create`."""

import json

from rigs.shop import STREAMS, Shop


async def test_queues_create_makes_what_the_worker_needs_and_may_be_repeated(shop: Shop) -> None:
    """A new user needs one command, which is safe to repeat."""
    first, second = shop.run("queues", "create"), shop.run("queues", "create")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout == second.stdout
    for stream in STREAMS:
        attributes = await shop.aws.attributes(await shop.aws.find(shop.names[stream]))
        redrive = json.loads(attributes["RedrivePolicy"])
        assert int(redrive["maxReceiveCount"]) == 20
        assert redrive["deadLetterTargetArn"].endswith(f"{shop.names[stream]}-dlq")
    shop.env["PYTHONWARNINGS"] = "always::ResourceWarning"
    check = shop.run("worker", "--check")
    assert check.returncode == 0
    assert "ready" in check.stderr
    assert "ResourceWarning" not in check.stderr


async def test_queues_are_created_in_a_real_account_only_with_yes(shop: Shop) -> None:
    """A forgotten variable must not create queues that cost money."""
    shop.env["AWS_ENDPOINT_URL_SQS"] = "https://sqs.eu-west-1.example.com"

    refused = shop.run("queues", "create")

    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


async def test_missing_credentials_are_reported_as_such(shop: Shop) -> None:
    """The endpoint was never called, so the user must not look there."""
    for name in ("AWS_ENDPOINT_URL_SQS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del shop.env[name]
    shop.env |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"}

    refused = shop.run("queues", "create", "--yes")

    assert refused.returncode == 2
    assert "no credentials were found; set AWS_PROFILE" in refused.stderr
    assert "AWS_ENDPOINT_URL_SQS right" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
