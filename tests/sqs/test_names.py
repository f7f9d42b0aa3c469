"""Names in the URLs and ARNs of queues."""

import pytest

from streamapp.sqs.names import region_of


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.sa-east-1.amazonaws.com/123/orders", "sa-east-1"),
        ("https://sa-east-1.queue.amazonaws.com/123/orders", "sa-east-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123/orders", "cn-north-1"),
        ("https://queue.amazonaws.com/123/orders", None),
        ("http://localhost:4566/000000000000/orders", None),
        ("http://sqs.sa-east-1.localhost.localstack.cloud:4566/000000000000/orders", None),
        ("orders", None),
    ],
)
def test_a_url_of_a_queue_names_its_region(url: str, region: str | None) -> None:
    """What names none is anywhere."""
    assert region_of(url) == region
