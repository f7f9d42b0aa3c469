"""What the URL or the ARN of a queue says: its name, and its region."""

import re

_AWS_HOST = re.compile(r"https://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.(?:amazonaws\.com|api\.aws)")


def queue_name(name_or_url: str) -> str:
    """Return the name of a queue that is given by its name or its URL."""
    return name_or_url.rstrip("/").rsplit("/", 1)[-1]


def name_in_arn(arn: str) -> str:
    """Return the name of the queue with this ARN."""
    return arn.rsplit(":", 1)[-1]


def region_of(url: str) -> str | None:
    """Return the region in the URL of a queue; None for a queue's name and for the URL of an emulator."""
    match = _AWS_HOST.match(url)
    return None if match is None else match[1] or match[2]
