"""The check of the invariants after a run: over the ledger, the announcements and the remaining hashes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from chaos.shop import MOST_RECEIVES, STREAMS, Shop
from streamapp_agents.simulador.simulacao import differences

Expected = Mapping[str, Mapping[str, Mapping[str, str | None]]]
"""The state that must be left, by table, key and field; None: the field must be absent."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The numbers of violations by invariant, and the costs; all but the last three must be 0.

    *lost*: orders or products whose effect is missing, or dead letters that should not be there (I1, I8). *wrong*:
    hashes that are not the merge of their events (I2, I5). *unannounced*: changes without an announcement, or newest
    announcements that are not the state (I3). *unstable*: ids with two contents, or contents with two ids (I4).
    *hidden*: messages still invisible when all is done (I12). *costly*: messages received more often than they may be
    (I9). *recovery* is the longest recovery, in seconds, and *losses* describe what is lost.
    """

    lost: int = 0
    wrong: int = 0
    unannounced: int = 0
    unstable: int = 0
    hidden: int = 0
    costly: int = 0
    duplicates: int = 0
    announced: int = 0
    recovery: float = 0.0
    losses: tuple[str, ...] = ()

    def __add__(self, other: "Verdict") -> "Verdict":
        """Return the sum of both."""
        sums = {it.name: getattr(self, it.name) + getattr(other, it.name) for it in fields(Verdict)}
        return Verdict(**{**sums, "recovery": max(self.recovery, other.recovery)})

    @property
    def is_clean(self) -> bool:
        """Whether every invariant held."""
        return not (
            self.lost or self.wrong or self.unannounced or self.unstable or self.hidden or self.costly
        )

    @property
    def share(self) -> float:
        """The share of announcements that were repeated."""
        return self.duplicates / self.announced if self.announced else 0.0


async def judge(
    shop: Shop,
    expected: Expected,
    dead: Iterable[str] = (),
    *,
    redis_url: str | None = None,
    most_receives: int = MOST_RECEIVES,
) -> Verdict:
    """Compare what a shop has left with *expected*, and its dead letters with the bodies *dead*."""
    found = await shop.hashes(redis_url)
    wrong = 0
    losses: list[str] = []
    for table, keys in expected.items():
        for key, fields_expected in keys.items():
            stored = found[table].get(key)
            losses += [f"{table} {key}"] if stored is None else []
            wrong += stored is not None and bool(differences(fields_expected, stored))
    wrong += sum(len(found[table].keys() - keys.keys()) for table, keys in expected.items())
    letters, dead = set(shop.letters()), set(dead)
    losses += [f"dead letter missing: {body}" for body in dead - letters]
    losses += [f"dead letter too many: {body}" for body in letters - dead]
    owed = [
        name
        for keys in found.values()
        for it in keys.values()
        for name in it
        if name.startswith(("_o:", "_x:"))
    ]
    announced = shop.announcements()
    ledger = shop.sqs.ledger
    names = [shop.name(stream) for stream in STREAMS]
    receives = [count for name in names for count in ledger.receives(name).values()]
    return Verdict(
        lost=len(losses),
        wrong=wrong,
        unannounced=len(owed) + _untold(announced, found["acompanhamento"]),
        unstable=_unstable(announced),
        hidden=sum(len(ledger.in_flight(name)) for name in names),
        costly=sum(count > most_receives for count in receives),
        duplicates=len(announced) - len({it["event_id"] for it in announced}),
        announced=len(announced),
        losses=tuple(losses),
    )


def _untold(announced: list[dict[str, Any]], orders: Mapping[str, Mapping[str, str]]) -> int:
    """Count the versions of known orders without an announcement, and newest announcements that are not the state."""
    told: defaultdict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for announcement in announced:
        data = announcement["data"]
        told[data["id_pedido"]][data["versao"]] = data
    count = len(told.keys() - orders.keys())
    for key, order in orders.items():
        newest = int(order["versao"])
        count += len(set(range(1, newest + 1)) - told[key].keys())
        if newest and newest in told[key]:
            names = ("status", "status_pagamento", "tempo_estimado")
            count += any(told[key][newest][name] != order.get(name) for name in names)
    return count


def _unstable(announced: list[dict[str, Any]]) -> int:
    pairs = {(it["event_id"], repr(sorted(it["data"].items()))) for it in announced}
    ids, contents = Counter(identity for identity, _ in pairs), Counter(content for _, content in pairs)
    return sum(n - 1 for counts in (ids, contents) for n in counts.values())
