"""SQS's operations as its JSON protocol spells them, on a service."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from streamapp.sqs.names import queue_name
from streamapp.testing.faults.effects import MISSING
from streamapp.testing.faults.refusal import Refusal
from streamapp.testing.sqs.attributes import KNOWN
from streamapp.testing.sqs.queue import Sent
from streamapp.testing.sqs.service import Service
from streamapp.testing.sqs.wire_message import Fields, letter_from, receipt_to, sent_to

T = TypeVar("T")


class Wire:
    """What each operation answers to its parameters; *base* is what the URLs of queues begin with."""

    def __init__(self, service: Service, base: str) -> None:
        self._service = service
        self._broker = service.broker
        self._base = base
        self._operations: dict[str, Callable[[Fields], Awaitable[Fields]]] = {
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
        }

    async def call(self, operation: str, said: Fields) -> Fields:
        """Return this operation; raises `Refusal` and `AnswerLost`."""
        act = self._operations.get(operation)
        if act is None:
            raise Refusal("InvalidAction", f"The action {operation} is not valid for this endpoint.")
        return await act(said)

    async def _send_message(self, said: Fields) -> Fields:
        letter = letter_from(said)
        (outcome,) = await self._service.send(_queue(said), [letter], None)
        return sent_to(_good(outcome), letter)

    async def _send_message_batch(self, said: Fields) -> Fields:
        letters = [letter_from(entry) for entry in _need(said, "Entries")]
        outcomes = await self._service.send(_queue(said), letters, _ids(said))
        spelled = [
            sent_to(outcome, letter) if isinstance(outcome, Sent) else outcome
            for outcome, letter in zip(outcomes, letters, strict=True)
        ]
        return _outcomes(said, spelled)

    async def _receive_message(self, said: Fields) -> Fields:
        wait, visibility = said.get("WaitTimeSeconds"), said.get("VisibilityTimeout")
        receipts = await self._service.receive(
            _queue(said),
            limit=int(said.get("MaxNumberOfMessages", 1)),
            wait=None if wait is None else int(wait),
            visibility=None if visibility is None else int(visibility),
        )
        if not receipts:
            return {}
        system = [*said.get("MessageSystemAttributeNames", ()), *said.get("AttributeNames", ())]
        names: Sequence[str] = said.get("MessageAttributeNames", ())
        epoch = self._service.epoch
        return {"Messages": [receipt_to(r, epoch=epoch, system=system, names=names) for r in receipts]}

    async def _delete_message(self, said: Fields) -> Fields:
        (outcome,) = await self._service.delete(_queue(said), [str(_need(said, "ReceiptHandle"))], None)
        _good(outcome)
        return {}

    async def _delete_message_batch(self, said: Fields) -> Fields:
        handles = [str(_need(entry, "ReceiptHandle")) for entry in _need(said, "Entries")]
        return _outcomes(said, await self._service.delete(_queue(said), handles, _ids(said)))

    async def _change_message_visibility(self, said: Fields) -> Fields:
        change = _change(said)
        (outcome,) = await self._service.change_visibility(_queue(said), [change], None)
        _good(outcome)
        return {}

    async def _change_message_visibility_batch(self, said: Fields) -> Fields:
        changes = [_change(entry) for entry in _need(said, "Entries")]
        return _outcomes(said, await self._service.change_visibility(_queue(said), changes, _ids(said)))

    async def _create_queue(self, said: Fields) -> Fields:
        name = str(_need(said, "QueueName"))
        attributes: dict[str, str] = said.get("Attributes") or {}
        await self._service.call("create", name, lambda now: self._broker.create(name, attributes, now))
        return {"QueueUrl": self._url(name)}

    async def _delete_queue(self, said: Fields) -> Fields:
        name = _queue(said)
        await self._service.call("delete_queue", name, lambda now: self._broker.delete_queue(name, now))
        return {}

    async def _get_queue_url(self, said: Fields) -> Fields:
        name = str(_need(said, "QueueName"))
        await self._service.call("find", name, lambda now: self._broker.stored(name, now))
        return {"QueueUrl": self._url(name)}

    async def _get_queue_attributes(self, said: Fields) -> Fields:
        name, epoch = _queue(said), self._service.epoch
        attributes = await self._service.call(
            "attributes", name, lambda now: self._broker.attributes(name, now, epoch=epoch)
        )
        names: Sequence[str] = said.get("AttributeNames", ())
        _check_names(names, attributes)
        chosen = {key: value for key, value in attributes.items() if "All" in names or key in names}
        return {"Attributes": chosen} if chosen else {}

    async def _set_queue_attributes(self, said: Fields) -> Fields:
        name, attributes = _queue(said), _need(said, "Attributes")
        await self._service.call(
            "create", name, lambda now: self._broker.set_attributes(name, attributes, now)
        )
        return {}

    async def _purge_queue(self, said: Fields) -> Fields:
        name = _queue(said)
        await self._service.call("purge", name, lambda now: self._broker.purge(name, now))
        return {}

    async def _list_queues(self, said: Fields) -> Fields:
        prefix = str(said.get("QueueNamePrefix") or "")
        names = await self._service.call("list", "", lambda _: self._broker.names(prefix))
        return {"QueueUrls": [self._url(name) for name in names]} if names else {}

    async def _list_dead_letter_source_queues(self, said: Fields) -> Fields:
        name = _queue(said)
        names = await self._service.call("list", name, lambda now: self._broker.sources(name, now))
        return {"queueUrls": [self._url(source) for source in names]}

    def _url(self, name: str) -> str:
        return f"{self._base}/{name}"


def _need(said: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    if said.get(name) is None:
        raise Refusal("MissingParameter", f"The request must contain the parameter {name}.")
    return said[name]


def _queue(said: Fields) -> str:
    return queue_name(str(_need(said, "QueueUrl")))


def _ids(said: Fields) -> list[str]:
    return [str(_need(entry, "Id")) for entry in _need(said, "Entries")]


def _change(said: Mapping[str, Any]) -> tuple[str, int]:
    return str(_need(said, "ReceiptHandle")), int(_need(said, "VisibilityTimeout"))


def _good(outcome: T | Refusal) -> T:
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def _outcomes(said: Fields, outcomes: Sequence[Fields | Refusal | None]) -> Fields:
    """Return a batch's outcomes by entry id; one that is MISSING is not named."""
    successful: list[Fields] = []
    failed: list[Fields] = []
    for entry, outcome in zip(_ids(said), outcomes, strict=True):
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
