"""Names in the URLs and ARNs of queues."""

import pytest

from streamapp.sqs.names import name_in_arn, queue_name, region_of


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.sa-east-1.amazonaws.com/123/orders", "sa-east-1"),
        ("https://sa-east-1.queue.amazonaws.com/123/orders", "sa-east-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123/orders", "cn-north-1"),
        ("https://queue.amazonaws.com/123/orders", None),
        ("http://localhost:4566/000000000000/orders", None),
        ("http://sqs.sa-east-1.localhost.localstack.cloud:4566/000000000000/orders", None),
        ("arn:aws:sqs:sa-east-1:123456789012:orders", "sa-east-1"),
        ("orders", None),
    ],
)
def test_the_region_is_read_from_a_url_of_aws(url: str, region: str | None) -> None:
    """A name of a queue and an emulator's URL contain none."""
    assert region_of(url) == region


@pytest.mark.parametrize(
    "given",
    [
        "orders",
        "arn:aws-cn:sqs:cn-north-1:123456789012:orders",
        "http://localhost:4566/000000000000/orders",
        "http://localhost/0/orders/",
    ],
)
def test_a_queue_is_given_by_its_name_its_url_or_its_arn(given: str) -> None:
    """All settings and commands accept each of them."""
    assert queue_name(given) == "orders"


def test_an_arn_ends_with_the_name_of_its_queue() -> None:
    """A RedrivePolicy names its dead-letter queue by ARN."""
    assert name_in_arn("arn:aws:sqs:us-east-1:123456789012:orders-dlq.fifo") == "orders-dlq.fifo"
