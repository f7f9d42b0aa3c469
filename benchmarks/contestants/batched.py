"""A careful pipeline without a framework: plain aioboto3, all calls in batches of ten, eight in flight."""

from typing import Any

import aioboto3
import anyio
from aiobotocore.config import AioConfig
from handling import QUEUES, REDIS_URL, SINK
from redis.asyncio import Redis
from together import process

IN_FLIGHT = 8


async def consume(sqs: Any, redis: Redis, queue: str) -> None:
    """Work off one queue, ten messages at a time, for ever."""

    async def ask(commands: list[tuple[str, ...]]) -> list[Any]:
        async with redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return await pipe.execute()

    while True:
        answer = await sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=10)
        messages = answer.get("Messages", [])
        if not messages:
            continue
        said = await process([message["Body"] for message in messages], ask)
        sends = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(said) if body is not None]
        failed: set[int] = set()
        if sends:
            sent = await sqs.send_message_batch(QueueUrl=SINK, Entries=sends)
            failed = {int(entry["Id"]) for entry in sent.get("Failed", [])}
        deletes = [
            {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
            for n, message in enumerate(messages)
            if n not in failed
        ]
        if deletes:
            await sqs.delete_message_batch(QueueUrl=queue, Entries=deletes)


async def main() -> None:
    """Work off every queue."""
    redis = Redis.from_url(REDIS_URL, decode_responses=True)
    config = AioConfig(max_pool_connections=len(QUEUES) * IN_FLIGHT + 2)
    async with aioboto3.Session().client("sqs", config=config) as sqs, anyio.create_task_group() as tasks:
        for queue in QUEUES:
            for _ in range(IN_FLIGHT if queue == QUEUES[0] else 1):
                tasks.start_soon(consume, sqs, redis, queue)


anyio.run(main)
