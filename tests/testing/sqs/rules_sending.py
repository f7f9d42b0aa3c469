"""What SQS accepts, and what it refuses."""

from testing.sqs.bench import Bench, Fields
from testing.sqs.rules import sees

MIB = 1_048_576


def text(value: str) -> Fields:
    """Return a String attribute."""
    return {"DataType": "String", "StringValue": value}


@sees(["olá \U0001f355\t\n", "pedido", b"\x00\xff", "490eac235419e6de394b9494298d9b30"])
async def a_message_comes_back_as_it_was_sent(sqs: Bench) -> object:
    """Whatever else SQS does, it does not change the content."""
    queue = await sqs.queue()
    attributes = {"kind": text("pedido"), "raw": {"DataType": "Binary.x", "BinaryValue": b"\x00\xff"}}

    sent = await sqs(
        "SendMessage", QueueUrl=queue, MessageBody="olá \U0001f355\t\n", MessageAttributes=attributes
    )

    message = await sqs.one(queue, MessageAttributeNames=["All"])
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    received = message["MessageAttributes"]
    return [
        message["Body"],
        received["kind"]["StringValue"],
        received["raw"]["BinaryValue"],
        message["MD5OfMessageAttributes"],
    ]


@sees([["General"], ["Hello", "Help.Me"], ["General", "Hello", "Help.Me"], []])
async def message_attributes_come_when_asked_for(sqs: Bench) -> object:
    """A consumer that forgets to ask sees none."""
    queue = await sqs.queue(VisibilityTimeout="0")
    await sqs.send(
        queue, "x", MessageAttributes={name: text("v") for name in ("General", "Hello", "Help.Me")}
    )

    seen = []
    for names in (["General"], ["Hel.*"], ["All"], []):
        message = await sqs.one(queue, MessageAttributeNames=names)
        seen.append(sorted(message.get("MessageAttributes", {})))
    return seen


@sees(["MissingRequiredParameterException", ["done", ["MissingParameter", True]]])
async def an_empty_body_is_refused(sqs: Bench) -> object:
    """A message must have a body."""
    queue = await sqs.queue()

    alone = await sqs.code("SendMessage", QueueUrl=queue, MessageBody="")
    return [alone, await sqs.entries("SendMessageBatch", queue, {"MessageBody": "x"}, {"MessageBody": ""})]


@sees(["done"] + [["InvalidMessageContents", True]] * 4)
async def an_illegal_character_is_refused_alone(sqs: Bench) -> object:
    """One bad body must not take its batch with it."""
    queue = await sqs.queue()

    bodies = ("\t\n\r \ufffd\U0010ffff", "\x00", "\x1b", "\ufffe", "\uffff")
    return await sqs.entries("SendMessageBatch", queue, *({"MessageBody": body} for body in bodies))


@sees(["done", "done", ["InvalidParameterValue", True], "InvalidParameterValueException"])
async def a_queues_own_limit_counts_bytes_and_attributes(sqs: Bench) -> object:
    """What counts is UTF-8, and attributes by name, type and value."""
    queue = await sqs.queue(MaximumMessageSize="1024")
    full = {"MessageBody": "é" * 507, "MessageAttributes": {"k": text("vvv")}}
    over = {"MessageBody": "é" * 507, "MessageAttributes": {"k": text("vvvv")}}

    outcomes = await sqs.entries("SendMessageBatch", queue, {"MessageBody": "x" * 1024}, full, over)
    return [*outcomes, await sqs.code("SendMessage", QueueUrl=queue, **over)]


@sees(["done", ["InvalidParameterValue", True]])
async def an_entry_over_its_queues_limit_fails_alone(sqs: Bench) -> object:
    """Its neighbours are sent."""
    queue = await sqs.queue(MaximumMessageSize="1024")

    bodies = ("x" * 1024, "x" * 1025)
    return await sqs.entries("SendMessageBatch", queue, *({"MessageBody": body} for body in bodies))


@sees(["done", "InvalidParameterValueException"])
async def a_message_may_be_one_mebibyte(sqs: Bench) -> object:
    """The default limit is the largest there is."""
    queue = await sqs.queue()

    return [await sqs.code("SendMessage", QueueUrl=queue, MessageBody="x" * size) for size in (MIB, MIB + 1)]


@sees(["done", "BatchRequestTooLong"])
async def a_batch_may_be_one_mebibyte(sqs: Bench) -> object:
    """Over it nothing is sent at all."""
    queue = await sqs.queue()

    halves = ((MIB // 2, MIB // 2), (MIB // 2, MIB // 2 + 1))
    return [
        await sqs.code(
            "SendMessageBatch",
            QueueUrl=queue,
            Entries=[{"Id": str(n), "MessageBody": "x" * size} for n, size in enumerate(sizes)],
        )
        for sizes in halves
    ]


@sees(
    ["EmptyBatchRequest", "TooManyEntriesInBatchRequest", "BatchEntryIdsNotDistinct"]
    + ["InvalidBatchEntryId"] * 2
)
async def a_batch_has_one_to_ten_entries_with_ids_of_their_own(sqs: Bench) -> object:
    """A wrong id refuses the whole batch, so ids should be positions."""
    queue = await sqs.queue()

    return [
        await sqs.code(
            "SendMessageBatch", QueueUrl=queue, Entries=[{"Id": name, "MessageBody": "x"} for name in ids]
        )
        for ids in ([], [str(n) for n in range(11)], ["a", "a"], ["a.b"], ["a" * 81])
    ]


@sees(["done", "done"] + ["InvalidParameterValueException"] * 4)
async def attributes_have_rules_of_their_own(sqs: Bench) -> object:
    """At most ten, none empty, no AWS names, three types."""
    queue = await sqs.queue()

    many = {f"a{n}": text("v") for n in range(11)}
    ten = dict(list(many.items())[:10])
    number = {"n": {"DataType": "Number.int", "StringValue": "1"}}
    unknown = {"n": {"DataType": "Text", "StringValue": "1"}}
    return [
        await sqs.code("SendMessage", QueueUrl=queue, MessageBody="x", MessageAttributes=attributes)
        for attributes in (ten, number, many, {"a": text("")}, {"AWS.a": text("v")}, unknown)
    ]


@sees(["InvalidParameterValueException", ["done", ["InvalidParameterValue", True]]])
async def a_delay_is_at_most_fifteen_minutes(sqs: Bench) -> object:
    """Longer backoffs need visibility."""
    queue = await sqs.queue()

    alone = await sqs.code("SendMessage", QueueUrl=queue, MessageBody="x", DelaySeconds=901)
    entries = ({"MessageBody": "x", "DelaySeconds": seconds} for seconds in (900, 901))
    return [alone, await sqs.entries("SendMessageBatch", queue, *entries)]


@sees([["now"], "1", ["later"]])
async def a_delayed_message_comes_later(sqs: Bench) -> object:
    """A message's own delay stands before its queue's."""
    queue = await sqs.queue(DelaySeconds="1")
    await sqs.send(queue, "later")
    await sqs.send(queue, "now", DelaySeconds=0)

    now = await sqs.bodies(queue)
    delayed = await sqs.attribute(queue, "ApproximateNumberOfMessagesDelayed")
    await sqs.pass_time(1.2)
    return [now, delayed, await sqs.bodies(queue)]


@sees(["loja-1", "InvalidParameterValueException", "InvalidParameterValueException"])
async def a_standard_queue_passes_a_group_on_but_knows_no_deduplication(sqs: Bench) -> object:
    """Fair queues: a group names a tenant."""
    queue = await sqs.queue()
    await sqs.send(queue, "x", MessageGroupId="loja-1")

    message = await sqs.one(queue, MessageSystemAttributeNames=["All"])
    return [
        message["Attributes"].get("MessageGroupId"),
        await sqs.code("SendMessage", QueueUrl=queue, MessageBody="x", MessageGroupId="loja 1"),
        await sqs.code("SendMessage", QueueUrl=queue, MessageBody="x", MessageDeduplicationId="d"),
    ]
