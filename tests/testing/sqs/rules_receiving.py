"""How SQS delivers messages, hides them and shows them again."""

import anyio

from testing.sqs.bench import Bench, begun
from testing.sqs.rules import sees


@sees([False, False])
async def an_empty_response_has_no_messages(sqs: Bench) -> object:
    """The key itself is absent."""
    queue = await sqs.queue()

    short = await sqs("ReceiveMessage", QueueUrl=queue)
    long = await sqs("ReceiveMessage", QueueUrl=queue, WaitTimeSeconds=0)
    return ["Messages" in short, "Messages" in long]


@sees(["InvalidParameterValueException"] * 5)
async def a_receive_has_limits(sqs: Bench) -> object:
    """Ten messages, twenty seconds, twelve hours."""
    queue = await sqs.queue()

    return [
        await sqs.code("ReceiveMessage", QueueUrl=queue, **{name: value})
        for name, value in (
            ("MaxNumberOfMessages", 0),
            ("MaxNumberOfMessages", 11),
            ("WaitTimeSeconds", 21),
            ("VisibilityTimeout", 43_201),
            ("VisibilityTimeout", -1),
        )
    ]


@sees([["1", "2"], True, True])
async def each_receive_counts_and_has_a_handle_of_its_own(sqs: Bench) -> object:
    """Two receipts of one message are told apart by their handles alone."""
    queue = await sqs.queue(VisibilityTimeout="0")
    await sqs.send(queue, "x")

    first, second = [await sqs.one(queue, AttributeNames=["All"]) for _ in range(2)]
    return [
        [message["Attributes"]["ApproximateReceiveCount"] for message in (first, second)],
        first["MessageId"] == second["MessageId"],
        first["ReceiptHandle"] != second["ReceiptHandle"],
    ]


@sees([["ApproximateReceiveCount"], [], ["ApproximateReceiveCount", "SentTimestamp"]])
async def system_attributes_come_when_asked_for(sqs: Bench) -> object:
    """A consumer that forgets to ask does not know the receive count."""
    queue = await sqs.queue(VisibilityTimeout="0")
    await sqs.send(queue, "x")

    both = ["ApproximateReceiveCount", "SentTimestamp"]
    answers = [await sqs.one(queue, MessageSystemAttributeNames=names) for names in (both[:1], [], both)]
    return [sorted(message.get("Attributes", {})) for message in answers]


@sees([["x"], [], "1", ["x"]])
async def a_received_message_is_hidden_for_its_visibility(sqs: Bench) -> object:
    """It comes back by itself: a consumer that crashes need not give it back."""
    queue = await sqs.queue(VisibilityTimeout="1")
    await sqs.send(queue, "x")

    first, hidden = await sqs.bodies(queue), await sqs.bodies(queue)
    in_flight = await sqs.attribute(queue, "ApproximateNumberOfMessagesNotVisible")
    await sqs.pass_time(1.2)
    return [first, hidden, in_flight, await sqs.bodies(queue)]


@sees([["x"], ["x"]])
async def a_receive_may_choose_its_visibility(sqs: Bench) -> object:
    """Zero hides nothing."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")

    return [await sqs.bodies(queue, VisibilityTimeout=0), await sqs.bodies(queue)]


@sees(["x"])
async def a_long_poll_ends_with_the_first_message(sqs: Bench) -> object:
    """Waiting costs no latency."""
    queue = await sqs.queue()
    seen: list[str] = []

    async def poll() -> None:
        seen.extend(await sqs.bodies(queue, WaitTimeSeconds=20))

    with anyio.fail_after(18):  # before the poll would end by itself
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poll)
            await begun(sqs)
            await sqs.send(queue, "x")
    return seen


@sees([["x"], "2"])
async def a_long_poll_sees_a_message_come_back(sqs: Bench) -> object:
    """A poller that waits needs no second poll for a message whose visibility ends."""
    queue = await sqs.queue(VisibilityTimeout="1")
    await sqs.send(queue, "x")
    await sqs.one(queue)
    seen = []

    async def poll() -> None:
        seen.append(await sqs.one(queue, WaitTimeSeconds=4, AttributeNames=["All"]))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poll)
            await begun(sqs)
            await sqs.pass_time(1.2)
    return [[m["Body"] for m in seen], seen[0]["Attributes"]["ApproximateReceiveCount"]]


@sees([[], "1"])
async def an_abandoned_poll_swallows_what_comes(sqs: Bench) -> object:
    """So a poll must be allowed to return: what it swallows is hidden until its visibility ends."""
    queue = await sqs.queue()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: sqs.receive(queue, WaitTimeSeconds=10))
        await begun(sqs)
        tasks.cancel_scope.cancel()
    await sqs.send(queue, "x")
    await begun(sqs)
    return [await sqs.bodies(queue), await sqs.attribute(queue, "ApproximateNumberOfMessagesNotVisible")]


@sees([["x"], ["x"]])
async def visibility_zero_gives_a_message_back(sqs: Bench) -> object:
    """A drain need not leave anything hidden."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")
    message = await sqs.one(queue)

    await sqs(
        "ChangeMessageVisibility",
        QueueUrl=queue,
        ReceiptHandle=message["ReceiptHandle"],
        VisibilityTimeout=0,
    )

    return [[message["Body"]], await sqs.bodies(queue)]


@sees([[], ["x"]])
async def an_extension_holds_and_is_forgotten_at_the_next_receive(sqs: Bench) -> object:
    """A heartbeat must go on; it does not hold for the next receipt."""
    queue = await sqs.queue(VisibilityTimeout="1")
    await sqs.send(queue, "x")
    handle = (await sqs.one(queue))["ReceiptHandle"]
    await sqs("ChangeMessageVisibility", QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=2)

    await sqs.pass_time(1.3)
    held = await sqs.bodies(queue)
    await sqs.pass_time(1.0)
    return [held, await sqs.bodies(queue)]


@sees(["InvalidParameterValueException", "done", ["InvalidParameterValue", True]])
async def a_message_is_hidden_for_twelve_hours_in_all(sqs: Bench) -> object:
    """The limit counts from the receipt, and a longer extension is refused rather than clipped."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")
    handle = (await sqs.one(queue))["ReceiptHandle"]
    await sqs.pass_time(1.1)

    change = {"QueueUrl": queue, "ReceiptHandle": handle}
    out_of_range = await sqs.code("ChangeMessageVisibility", VisibilityTimeout=43_201, **change)
    within = await sqs.code("ChangeMessageVisibility", VisibilityTimeout=43_190, **change)
    entry = {"ReceiptHandle": handle, "VisibilityTimeout": 43_200}
    return [out_of_range, within, *await sqs.entries("ChangeMessageVisibilityBatch", queue, entry)]


@sees(["ReceiptHandleIsInvalid", "InvalidParameterValueException", "done", []])
async def a_message_that_is_back_can_be_hidden_again(sqs: Bench) -> object:
    """Garbage and a deleted message are refused, each in its own way."""
    queue = await sqs.queue()
    await sqs.send(queue, "x", "y")
    deleted, visible = [message["ReceiptHandle"] for message in await sqs.receive(queue)]
    await sqs("DeleteMessage", QueueUrl=queue, ReceiptHandle=deleted)
    await sqs("ChangeMessageVisibility", QueueUrl=queue, ReceiptHandle=visible, VisibilityTimeout=0)

    codes = [
        await sqs.code("ChangeMessageVisibility", QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=5)
        for handle in ("garbage", deleted, visible)
    ]
    return [*codes, await sqs.bodies(queue)]


@sees(["done", ["x"]])
async def an_old_handle_gives_a_message_back(sqs: Bench) -> object:
    """A consumer that lost a message to another one can still take it from it: SQS does not protect the newer."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")
    old = (await sqs.one(queue, VisibilityTimeout=0))["ReceiptHandle"]
    await sqs.one(queue)

    code = await sqs.code("ChangeMessageVisibility", QueueUrl=queue, ReceiptHandle=old, VisibilityTimeout=0)
    return [code, await sqs.bodies(queue)]


@sees(["done", "done", "0", ["ReceiptHandleIsInvalid", True]])
async def a_deleted_message_is_gone(sqs: Bench) -> object:
    """Deleting twice is no error; a handle that is none is."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")
    handle = (await sqs.one(queue))["ReceiptHandle"]

    codes = [await sqs.code("DeleteMessage", QueueUrl=queue, ReceiptHandle=handle) for _ in range(2)]
    left = await sqs.attribute(queue, "ApproximateNumberOfMessagesNotVisible")
    return [*codes, left, *await sqs.entries("DeleteMessageBatch", queue, {"ReceiptHandle": "garbage"})]


@sees(["done", "0"])
async def an_old_handle_deletes(sqs: Bench) -> object:
    """A consumer that was slow ends the message although another one has it by now."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")
    old = (await sqs.one(queue, VisibilityTimeout=0))["ReceiptHandle"]
    await sqs.one(queue)

    code = await sqs.code("DeleteMessage", QueueUrl=queue, ReceiptHandle=old)
    return [code, await sqs.attribute(queue, "ApproximateNumberOfMessagesNotVisible")]


@sees(["done", []])
async def the_last_handle_deletes_after_its_visibility(sqs: Bench) -> object:
    """A message that is visible again is deleted as well."""
    queue = await sqs.queue()
    await sqs.send(queue, "x")
    handle = (await sqs.one(queue, VisibilityTimeout=0))["ReceiptHandle"]

    return [
        await sqs.code("DeleteMessage", QueueUrl=queue, ReceiptHandle=handle),
        await sqs.bodies(queue),
    ]


@sees(["3", "1", "2"])
async def a_queue_reports_roughly_how_much_it_holds(sqs: Bench) -> object:
    """Visible, in flight and delayed are counted apart."""
    queue = await sqs.queue()
    await sqs.send(queue, "a", "b", "c", "d")
    await sqs.send(queue, "e", "f", DelaySeconds=60)
    await sqs.receive(queue, 1)

    kinds = ("", "NotVisible", "Delayed")
    return [await sqs.attribute(queue, f"ApproximateNumberOfMessages{kind}") for kind in kinds]
