"""Who takes part."""

from benchmarks.contestant import Contestant, hand, ours

STREAMAPP = ours(
    "streamapp",
    "`streamapp worker`: acompanhamento with everything on",
    "streamapp_agents:app",
    "application",
)
STREAMAPP_HANDLER = ours(
    "streamapp-handler", "`streamapp worker` with the plain handler", "benchmarks.apps:handler", "handler"
)
STREAMAPP_EMPTY = ours(
    "streamapp-empty", "`streamapp worker`, an empty agent", "benchmarks.apps:empty", "empty"
)
NAIVE = hand(
    "naive", "the usual loop on aioboto3: receive 10, then HSET, send and delete one by one", "naive", 1
)
BATCHED = hand("batched", "a careful pipeline on aioboto3, all in tens", "batched", 5)
FLOOR = hand("floor", "own HTTP, signature and RESP; nothing is handled that can go wrong", "floor", 20)

CORE: tuple[Contestant, ...] = (STREAMAPP, STREAMAPP_HANDLER, NAIVE, BATCHED, FLOOR)
PEERS: tuple[Contestant, ...] = ()
EMPTY: tuple[Contestant, ...] = (STREAMAPP_EMPTY,)
EVERYONE = (*CORE, *PEERS, *EMPTY)
