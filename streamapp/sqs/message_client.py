"""Choose the client for the four calls that each message needs."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from streamapp.sqs.boto import BotoSqs
from streamapp.sqs.direct import DirectSqs, open_direct

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_message_client(
    aws: BotoSqs, client: str, *, polls: int = 1
) -> AsyncGenerator[BotoSqs | DirectSqs]:
    """Open our own client if *client* is `fast`; else, or if only the AWS client can reach the endpoint, use *aws*."""
    route = aws.settings.route(aws.endpoint) if client == "fast" else None
    if route is not None:
        async with open_direct(aws, route, polls=polls) as direct:
            yield direct
    else:
        if client == "fast":
            logger.info("only the AWS client can reach the endpoint, so messages use it too")
        yield aws
