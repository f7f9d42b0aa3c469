"""All wrong variants by name, and the test that must fail on each."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

import pytest

from faults.letters import Letters
from mutants import domain, protocol
from simulation.world import Luck
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sweeper import Sweeper
from streamapp.pipeline.fifo import FifoGroups
from streamapp.pipeline.handoff import Handoff
from streamapp.pipeline.in_hand import InHand
from streamapp.pipeline.rights import Rights
from streamapp.pipeline.settler import Settler
from streamapp.pipeline.turn import Turn
from streamapp.state.committer import Committer
from streamapp.state.committer import _Draft as Draft  # pyright: ignore[reportPrivateUsage]  # to be replaced
from streamapp.testing import MemoryStore
from streamapp.testing.state.replicas import ReplicatedValues

Patch = tuple[object | str, str, Any]
"""A class or the name of a module, the name of what is replaced there, and its replacement."""

CALM = Luck(
    events=80,
    keys=2,
    workers=3,
    concurrency=10,
    visibility=8,
    window=3,
    faults=0,
    crashes=0,
    freezes=0,
    failures=0,
    replicated=False,
    failovers=0,
    lag=0.0,
)
CRASHES = replace(CALM, crashes=0.02, faults=0.02, keys=4)
FAILOVERS = replace(CRASHES, crashes=0.005, failovers=4, lag=0.5, replicated=True)
FORGETFUL = replace(FAILOVERS, replicated=False)
GROUPS = replace(CALM, keys=4, fifo=True, bad=8)
BATCHES = replace(CALM, keys=4, batch=10, bad=8)
BULK = replace(CALM, keys=4, bulks=2)
SWEEPS = replace(FAILOVERS, sweeps=(2.0, 0.5), longest_cut=4.0)

WORLDS: Mapping[str, Luck] = {
    "calm": CALM,
    "crashes": CRASHES,
    "no sweeper": replace(CRASHES, sweeps=None),
    "failovers": FAILOVERS,
    "failovers that forget": FORGETFUL,
    "failovers and sweeps": SWEEPS,
    "groups": GROUPS,
    "batches": BATCHES,
    "bulk": BULK,
}

COMPANY = ("groups", "batches", "bulk")
"""Worlds in which messages share something; the others are of the protocol."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong variant, and what it must fail in.

    That is some seed of *world*, *test* of the application's fold, or *row*, a test of a fault row as `module::test`;
    tests have the arguments *given*. Or it must fail in *claim*.
    """

    story: str
    patches: Sequence[Patch] = field(default_factory=list[Patch])
    world: str | None = None
    test: str | None = None
    row: str | None = None
    given: tuple[object, ...] = ()
    claim: str | None = None
    """A file of tests and the name of a test in it, with `::` between."""


_NO_MARKER: Patch = (Committer, "_commit_of", protocol.commit_without_marker)
_DELETE_FIRST: Patch = (Settler, "succeed", protocol.delete_then_send)
_NO_TOKEN: Patch = (MemoryStore, "_commit", protocol.commit_without_token)

MUTANTS: Mapping[str, Mutant] = {
    "no-marker": Mutant("state, send, delete, and no pending marker", [_NO_MARKER], "crashes"),
    "delete-then-send": Mutant("state, delete, then send", [_NO_MARKER, _DELETE_FIRST], "crashes"),
    "early-payment-dropped": Mutant(
        "a payment of an unknown order is dropped",
        [("streamapp_agents.dominio.acompanhamento", "aplicar", domain.drop_the_unknown)],
        test="test_a_payment_before_its_order_waits_in_a_placeholder",
    ),
    "seen-mark-apart": Mutant(
        "seen mark and state in two commands", protocol.SeenMarks().patches(), "crashes"
    ),
    "silent-duplicate": Mutant(
        "a duplicate is deleted without announcing again",
        [(InHand, "_note", protocol.forget_what_a_duplicate_finds)],
        "crashes",
    ),
    "cleared-before-send": Mutant(
        "the marker is cleared before the send",
        [(Announcer, "announce", protocol.confirm_then_announce)],
        "crashes",
    ),
    "deleted-before-send": Mutant("deleted before the send, and no sweeper", [_DELETE_FIRST], "no sweeper"),
    "last-arrival-wins": Mutant(
        "the last arrival wins",
        [
            ("streamapp_agents.dominio.fatos", name, domain.last_arrival)
            for name in ("prevalecer", "mais_novo")
        ],
        test="test_of_two_creations_the_newer_stands",
        given=(True,),
    ),
    "no-barrier": Mutant(
        "no barrier", [(ReplicatedValues, "follows", protocol.wait_for_nobody)], "failovers"
    ),
    "barrier-without-write": Mutant(
        "a barrier, and no write on duplicates",
        [(Committer, "__init__", protocol.without_writes_of_duplicates)],
        "failovers",
    ),
    "counter-as-id": Mutant(
        "the announcement's id is a counter",
        [("streamapp.state.destination", "_digest", protocol.counter_as_identity)],
        "failovers that forget",
    ),
    "event-as-id": Mutant(
        "the announcement's id is that of the event that caused it",
        [("streamapp.state.committer", "_step", protocol.event_as_identity)],
        "failovers that forget",
    ),
    "whole-state-without-token": Mutant(
        "read, then the whole state written without a token",
        [(Committer, "_commit_of", protocol.whole_state), _NO_TOKEN],
        "calm",
    ),
    "fields-without-token": Mutant(
        "read, then the touched fields written without a token", [_NO_TOKEN], "calm"
    ),
    "counter-as-token": Mutant(
        "compare and set with a counter for a token",
        [(Committer, "_commit_of", protocol.counter_as_token)],
        "failovers",
    ),
    "sweep-without-barrier": Mutant(
        "the sweeper sends without a write of its own that the replica has",
        [(Sweeper, "_proven", protocol.sweep_without_barrier)],
        "failovers and sweeps",
    ),
    "attempts-are-receives": Mutant(
        "a group is given back while its first message waits for its next attempt",
        [(Handoff, "retry_in_hand", protocol.give_back_at_once)],
        row="faults.test_row_39_company::test_those_behind_poison_in_a_group_pay_neither_receive_nor_attempt",
        given=(1, print, Letters()),
    ),
    "lease-of-the-queue": Mutant(
        "messages are held for as long as their queue says",
        [("streamapp.worker.assembly", "lease_of", protocol.lease_of_the_queue)],
        row="faults.test_row_37_settings::test_a_queue_that_hides_nothing_gives_each_message_to_one_worker",
        given=("mutant", print),
    ),
    "rights-unnoticed": Mutant(
        "a delete that is refused for rights is given up, and its queue polled on",
        [(Rights, "note", protocol.never_refused)],
        row="faults.test_row_37_settings::test_without_the_right_to_delete_nothing_more_is_received",
        given=("mutant", print),
    ),
    "everybody-sweeps": Mutant(
        "each worker scans all tables",
        [(MemoryStore, "claim", protocol.claim_for_all)],
        row="faults.test_row_38_sweeps::test_a_fleet_scans_a_table_no_oftener_than_a_worker",
        given=(10, print),
    ),
    "a-batch-shares-one-end": Mutant(
        "an error of a batch ends each of its messages",
        [(Turn, "fail", protocol.fail_all)],
        row="faults.test_row_39_company::test_one_poison_event_in_a_batch_dies_alone",
        given=(10, 0.5, False, print, Letters()),
    ),
    "bug-fails-the-flush": Mutant(
        "a bug of one key fails the flush",
        [("streamapp.state.committer", "contained", protocol.raise_again)],
        claim="state/test_company.py::test_a_bug_of_one_table_fails_only_its_own_events[fold that exits]",
    ),
    "conflicts-in-the-flush": Mutant(
        "a flush goes on until none of its keys is in conflict",
        [(Committer, "flush", protocol.flush_until_done)],
        claim="state/test_committer.py::test_a_key_in_conflict_keeps_no_other_key_waiting",
    ),
    "bulk-at-once": Mutant(
        "all keys of an event are handed over at once",
        [("streamapp.pipeline.in_hand", "windows", protocol.all_at_once)],
        claim="faults/test_row_33_bulk.py::test_a_single_change_passes_bulks",
    ),
    "mildest-of-a-group": Mutant(
        "of several errors in a group the mildest decides",
        [("streamapp.pipeline.runner", "gravest", protocol.mildest)],
        row="mutants.trials::a_rejected_message_is_dead_lettered_at_once",
    ),
    "under-way-at-the-delete": Mutant(
        "an update that is under way is not waited for",
        [(InHand, "has_unfinished", protocol.wait_for_no_update)],
        row="mutants.trials::an_update_under_way_is_announced_before_the_delete",
    ),
    "dead-letter-before-send": Mutant(
        "a message is dead-lettered before its update's announcement is sent",
        [(Turn, "_announce_before", protocol.bury_at_once)],
        row="mutants.trials::a_rejected_update_is_announced_before_its_dead_letter",
    ),
    "group-side-by-side": Mutant(
        "the messages of a group are processed side by side",
        [(FifoGroups, "enter", protocol.enter_all)],
        "groups",
    ),
    "batch-fails-together": Mutant(
        "an error of a batch ends each of its messages, in a world",
        [(Turn, "fail", protocol.fail_all)],
        "batches",
    ),
    "skip-of-a-batch": Mutant(
        "a skip that comes out of a batch skips all of it",
        [(Turn, "is_batch", property(protocol.divide_nothing))],
        "batches",
    ),
    "bulk-owes-its-end": Mutant(
        "what a bulk announces before its end is forgotten",
        [(InHand, "_announce_now", protocol.forget_what_a_window_owes)],
        "bulk",
    ),
    "mutating-fold": Mutant(
        "a fold that changes its state in place is believed",
        [(Draft, "_check", protocol.believe)],
        row="mutants.trials::a_fold_that_mutates_announces_or_fails",
    ),
}


@contextmanager
def applied(name: str) -> Generator[None]:
    """Replace parts of the engine by the variant *name* while the context is open."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, attribute, replacement in MUTANTS[name].patches:
            patch.setattr(import_module(owner) if isinstance(owner, str) else owner, attribute, replacement)
        yield
