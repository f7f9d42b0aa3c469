"""SQS's operations in its JSON protocol."""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from streamapp.testing.faults.effects import MISSING
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.attributes import ACCOUNT, KNOWN, key_of, path_of
from streamapp.testing.sqs.json_messages import content_from_json, receipt_to_json, result_to_json
from streamapp.testing.sqs.json_request import JsonObject, checked
from streamapp.testing.sqs.queue import SendResult
from streamapp.testing.sqs.rules import MAX_RESULTS, check_page, invalid
from streamapp.testing.sqs.simulator import SqsSimulator

T = TypeVar("T")

REFUSED = (
    "AddPermission",
    "RemovePermission",
    "StartMessageMoveTask",
    "ListMessageMoveTasks",
    "CancelMessageMoveTask",
)
"""Operations of SQS that are refused by name: policies have no effect here, and nothing moves by itself."""


class JsonProtocol:
    """Turns each operation's parameters into its response; *base* is the beginning of the URLs of queues."""

    def __init__(self, simulator: SqsSimulator, base: str) -> None:
        self._simulator = simulator
        self._broker = simulator.broker
        self._root = base.rsplit("/", 1)[0]
        self._operations: dict[str, Callable[[JsonObject], Awaitable[JsonObject]]] = {
            "SendMessage": self._send_message,
            "SendMessageBatch": self._send_message_batch,
            "ReceiveMessage": self._receive_message,
            "DeleteMessage": self._delete_message,
            "DeleteMessageBatch": self._delete_message_batch,
            "ChangeMessageVisibility": self._change_message_visibility,
            "ChangeMessageVisibilityBatch": self._change_message_visibility_batch,
            "CreateQueue": self._create_queue,
            "DeleteQueue": self._delete_queue,
            "GetQueueUrl": self._get_queue_url,
            "GetQueueAttributes": self._get_queue_attributes,
            "SetQueueAttributes": self._set_queue_attributes,
            "PurgeQueue": self._purge_queue,
            "ListQueues": self._list_queues,
            "ListDeadLetterSourceQueues": self._list_dead_letter_source_queues,
            "TagQueue": self._tag_queue,
            "UntagQueue": self._untag_queue,
            "ListQueueTags": self._list_queue_tags,
        }

    @property
    def operations(self) -> list[str]:
        """The names of the operations that exist."""
        return list(self._operations)

    async def call(self, operation: str, request: object) -> JsonObject:
        """Return the response of *operation*. Raises `Refusal` and `ResponseLost`."""
        act = self._operations.get(operation)
        if operation in REFUSED:
            raise Refusal("UnsupportedOperation", f"The SQS for tests has no {operation}.")
        if act is None:
            raise Refusal("InvalidAction", f"The action {operation} is not valid for this endpoint.")
        return await act(checked(request))

    async def _send_message(self, request: JsonObject) -> JsonObject:
        content = content_from_json(request)
        (outcome,) = await self._simulator.send(self._queue(request), [content], None)
        return result_to_json(_good(outcome), content)

    async def _send_message_batch(self, request: JsonObject) -> JsonObject:
        contents = [content_from_json(entry) for entry in _need(request, "Entries")]
        outcomes = await self._simulator.send(self._queue(request), contents, _ids(request))
        spelled = [
            result_to_json(outcome, content) if isinstance(outcome, SendResult) else outcome
            for outcome, content in zip(outcomes, contents, strict=True)
        ]
        return _outcomes(request, spelled)

    async def _receive_message(self, request: JsonObject) -> JsonObject:
        limit = request.get("MaxNumberOfMessages")
        receipts = await self._simulator.receive(
            self._queue(request),
            limit=1 if limit is None else limit,
            wait=request.get("WaitTimeSeconds"),
            visibility=request.get("VisibilityTimeout"),
        )
        if not receipts:
            return {}
        system = [*_names(request, "MessageSystemAttributeNames"), *_names(request, "AttributeNames")]
        names = _names(request, "MessageAttributeNames")
        epoch = self._simulator.epoch
        return {"Messages": [receipt_to_json(r, epoch=epoch, system=system, names=names) for r in receipts]}

    async def _delete_message(self, request: JsonObject) -> JsonObject:
        (outcome,) = await self._simulator.delete(
            self._queue(request), [str(_need(request, "ReceiptHandle"))], None
        )
        _good(outcome)
        return {}

    async def _delete_message_batch(self, request: JsonObject) -> JsonObject:
        handles = [str(_need(entry, "ReceiptHandle")) for entry in _need(request, "Entries")]
        return _outcomes(request, await self._simulator.delete(self._queue(request), handles, _ids(request)))

    async def _change_message_visibility(self, request: JsonObject) -> JsonObject:
        change = _change(request)
        (outcome,) = await self._simulator.change_visibility(self._queue(request), [change], None)
        _good(outcome)
        return {}

    async def _change_message_visibility_batch(self, request: JsonObject) -> JsonObject:
        changes = [_change(entry) for entry in _need(request, "Entries")]
        return _outcomes(
            request, await self._simulator.change_visibility(self._queue(request), changes, _ids(request))
        )

    async def _create_queue(self, request: JsonObject) -> JsonObject:
        name = str(_need(request, "QueueName"))
        attributes: dict[str, str] = request.get("Attributes") or {}
        tags: dict[str, str] = request.get("tags") or {}
        await self._simulator.call(
            "create", name, lambda now: self._broker.create(name, attributes, now, tags=tags)
        )
        return {"QueueUrl": self._url(name)}

    async def _delete_queue(self, request: JsonObject) -> JsonObject:
        name = self._queue(request)
        await self._simulator.call("delete_queue", name, lambda now: self._broker.delete_queue(name, now))
        return {}

    async def _get_queue_url(self, request: JsonObject) -> JsonObject:
        account = str(request.get("QueueOwnerAWSAccountId") or ACCOUNT)
        name = key_of(account, str(_need(request, "QueueName")))
        await self._simulator.call("find", name, lambda now: self._broker.stored(name, now))
        return {"QueueUrl": self._url(name)}

    async def _get_queue_attributes(self, request: JsonObject) -> JsonObject:
        name, epoch = self._queue(request), self._simulator.epoch
        attributes = await self._simulator.call(
            "attributes", name, lambda now: self._broker.attributes(name, now, epoch=epoch)
        )
        names = _names(request, "AttributeNames")
        _check_names(names, attributes)
        chosen = {key: value for key, value in attributes.items() if "All" in names or key in names}
        return {"Attributes": chosen} if chosen else {}

    async def _set_queue_attributes(self, request: JsonObject) -> JsonObject:
        name, attributes = self._queue(request), _need(request, "Attributes")
        await self._simulator.call(
            "create", name, lambda now: self._broker.set_attributes(name, attributes, now)
        )
        return {}

    async def _purge_queue(self, request: JsonObject) -> JsonObject:
        name = self._queue(request)
        await self._simulator.call("purge", name, lambda now: self._broker.purge(name, now))
        return {}

    async def _list_queues(self, request: JsonObject) -> JsonObject:
        prefix = str(request.get("QueueNamePrefix") or "")
        names = await self._simulator.call("list", "", lambda _: self._broker.names(prefix))
        page, token = _page(names, request)
        return ({"QueueUrls": [self._url(name) for name in page]} if page else {}) | token

    async def _list_dead_letter_source_queues(self, request: JsonObject) -> JsonObject:
        name = self._queue(request)
        names = await self._simulator.call("list", name, lambda now: self._broker.sources(name, now))
        page, token = _page(names, request)
        return {"queueUrls": [self._url(source) for source in page]} | token

    async def _tag_queue(self, request: JsonObject) -> JsonObject:
        name, tags = self._queue(request), _need(request, "Tags")
        await self._simulator.call("tag", name, lambda now: self._broker.stored(name, now).tags.update(tags))
        return {}

    async def _untag_queue(self, request: JsonObject) -> JsonObject:
        name, keys = self._queue(request), _need(request, "TagKeys")
        await self._simulator.call("tag", name, lambda now: self._broker.stored(name, now).untag(keys))
        return {}

    async def _list_queue_tags(self, request: JsonObject) -> JsonObject:
        name = self._queue(request)
        tags = await self._simulator.call("tags", name, lambda now: dict(self._broker.stored(name, now).tags))
        return {"Tags": tags} if tags else {}

    def _url(self, name: str) -> str:
        return f"{self._root}/{path_of(name)}"

    def _queue(self, request: JsonObject) -> str:
        return self._broker.key_in_url(str(_need(request, "QueueUrl")))


def _need(request: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    if request.get(name) is None:
        raise Refusal("MissingParameter", f"The request must contain the parameter {name}.")
    return request[name]


def _ids(request: JsonObject) -> list[str]:
    return [str(_need(entry, "Id")) for entry in _need(request, "Entries")]


def _change(request: Mapping[str, Any]) -> tuple[str, int]:
    return str(_need(request, "ReceiptHandle")), _need(request, "VisibilityTimeout")


def _names(request: JsonObject, member: str) -> Sequence[str]:
    return request.get(member) or ()


def _page(names: Sequence[str], request: JsonObject) -> tuple[Sequence[str], JsonObject]:
    """Return the names that this request asks for, and the member that leads to the next ones, if there are any.

    A token is the last name of the page before, so that a queue that is created between two pages moves none.
    """
    most, token = request.get("MaxResults"), request.get("NextToken")
    check_page(most)
    after = _read_token(token) if token else ""
    rest = [name for name in names if name > after]
    page = rest[: most or MAX_RESULTS]
    # As in SQS, only who says how many results are wanted is told that there are more.
    more = most is not None and len(rest) > len(page)
    return page, {"NextToken": urlsafe_b64encode(page[-1].encode()).decode()} if more else {}


def _read_token(token: str) -> str:
    try:
        return b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid(f"Value {token} for parameter NextToken is invalid.") from None


def _good(outcome: T | Refusal) -> T:
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def _outcomes(request: JsonObject, outcomes: Sequence[JsonObject | Refusal | None]) -> JsonObject:
    """Return a batch's outcomes by entry id; a MISSING one is left out."""
    successful: list[JsonObject] = []
    failed: list[JsonObject] = []
    for entry, outcome in zip(_ids(request), outcomes, strict=True):
        if not isinstance(outcome, Refusal):
            successful.append({"Id": entry} | (outcome or {}))
        elif outcome.code != MISSING:
            failed.append(
                {
                    "Id": entry,
                    "Code": outcome.code,
                    "Message": outcome.message,
                    "SenderFault": outcome.sender_fault,
                }
            )
    return {"Successful": successful} | ({"Failed": failed} if failed else {})


def _check_names(names: Sequence[str], attributes: Mapping[str, str]) -> None:
    for name in names:
        if name != "All" and name not in attributes and name not in KNOWN:
            raise Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
