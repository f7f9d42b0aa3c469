"""What the URL or the ARN of a queue says: its name, its account and its region."""

import re
from typing import NamedTuple

_AWS_HOST = re.compile(r"https://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.(?:amazonaws\.com|api\.aws)")

_ARN = re.compile(r"arn:[a-z0-9-]+:sqs:([a-z0-9-]*):([0-9]*):([^:/]+)")


class QueueArn(NamedTuple):
    """The parts of a queue's ARN."""

    region: str
    account: str
    name: str


def parse_arn(text: str) -> QueueArn | None:
    """Return the parts of a queue's ARN; None for anything else."""
    match = _ARN.fullmatch(text)
    return None if match is None else QueueArn(*match.groups())


def queue_name(given: str) -> str:
    """Return the name of a queue that is given by its name, its URL or its ARN."""
    arn = parse_arn(given)
    return given.rstrip("/").rsplit("/", 1)[-1] if arn is None else arn.name


def name_in_arn(arn: str) -> str:
    """Return the name of the queue with this ARN."""
    return arn.rsplit(":", 1)[-1]


def region_of(url: str) -> str | None:
    """Return the region in the URL or the ARN of a queue; None for a queue's name and for the URL of an emulator."""
    if (arn := parse_arn(url)) is not None:
        return arn.region
    match = _AWS_HOST.match(url)
    return None if match is None else match[1] or match[2]
