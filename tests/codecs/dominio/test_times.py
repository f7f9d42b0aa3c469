"""Times: every spelling that was seen, and what is none."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from streamapp_codecs.lenient.times import read_time

_SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.mark.parametrize(
    ("value", "utc"),
    [
        ("2025-07-28T12:00:00", "2025-07-28T12:00:00"),
        ("2025-07-28 12:00:00", "2025-07-28T12:00:00"),
        ("2025-07-28T12:00:00.123456", "2025-07-28T12:00:00.123456"),
        ("2025-07-28T12:00:00Z", "2025-07-28T12:00:00"),
        ("2025-07-28T12:00:00z", "2025-07-28T12:00:00"),
        ("2025-07-28T12:00:00.512Z", "2025-07-28T12:00:00.512"),
        ("2025-07-28T12:00:00 UTC", "2025-07-28T12:00:00"),
        ("2025-07-28T12:00:00-03:00", "2025-07-28T15:00:00"),
        ("2025-07-28T12:00:00-0300", "2025-07-28T15:00:00"),
        ("2025-07-28 12:00:00 -03:00", "2025-07-28T15:00:00"),
        ("2025-07-28T12:00:59.1234567-03:00", "2025-07-28T15:00:59.123456"),
        ("2025-07-28T12:00:59.123456789Z", "2025-07-28T12:00:59.123456"),
        ("2025-07-28T12:00:00-03:00[America/Sao_Paulo]", "2025-07-28T15:00:00"),
        ("2025-07-28T12:00:00-03:00[Brazil/East]", "2025-07-28T15:00:00"),
        ("2025-07-28T12:00", "2025-07-28T12:00:00"),
        ("2023-08-30", "2023-08-30T00:00:00"),
        ("20230830", "2023-08-30T00:00:00"),
        ("28/07/2025 12:00:00", "2025-07-28T12:00:00"),
        ("28/07/2025 12:00", "2025-07-28T12:00:00"),
        ("28/07/2025", "2025-07-28T00:00:00"),
        (Decimal("1745202664.371865219"), "2025-04-21T02:31:04.371865"),
        (1753715100, "2025-07-28T15:05:00"),
        (1753715100000, "2025-07-28T15:05:00"),
        (1753715100000000, "2025-07-28T15:05:00"),
        (1753715100000000000, "2025-07-28T15:05:00"),
        ("1753715100000", "2025-07-28T15:05:00"),
        ("1745202664.371865219", "2025-04-21T02:31:04.371865"),
        ([2024, 5, 20], "2024-05-20T00:00:00"),
        ([2024, 5, 20, 9, 52], "2024-05-20T09:52:00"),
        ([2024, 5, 20, 9, 52, 22], "2024-05-20T09:52:22"),
        ([2024, 5, 20, 9, 52, 22, 123456789], "2024-05-20T09:52:22.123456"),
        ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00"),
        ("1999-12-31T23:00:00-01:00", "2000-01-01T00:00:00"),
        ("2101-01-01T00:00:00Z", "2101-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999"),
        (" 2025-07-28T12:00:00Z ", "2025-07-28T12:00:00"),
    ],
)
def test_a_time_is_read_in_every_spelling(value, utc) -> None:
    """Each of these is the default of a library that somebody uses."""
    assert read_time(value, UTC) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize("value", ["2025-07-28T12:00:00", "28/07/2025 12:00:00", [2025, 7, 28, 12, 0, 0]])
def test_a_time_without_a_zone_has_that_of_its_queue(value) -> None:
    """Sao Paulo is three hours behind UTC."""
    assert read_time(value, _SAO_PAULO) == datetime(2025, 7, 28, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        *("00:15:00", "35:00", "PT15M", "15 min", "12:00", "12:00:00Z", "900", 900, 0, -1, Decimal("-0.5")),
        *("", " ", "ontem", "2025", "2025-13-01", "2025-07-32T00:00:00", "2025-07-28T25:00:00", "2025-W30-1"),
        *("28/13/2025", "0000-00-00", "9999-12-31T23:59:59-03:00", "0001-01-01T00:00:00+14:00"),
        *(
            "1999-12-31T23:59:59Z",
            "1970-01-01T00:00:00Z",
            20250728120000,
            10**30,
            10**400,
            Decimal("1E+999"),
            Decimal("NaN"),
        ),
        *([], [2024], [2024, 5], [2024, 5, 20, 9], [2024, 13, 1], [2024, "5", 20], [2024, 5, True], [1] * 8),
        *([10**20, 1, 1], [2024, 5, 20, 9, 52, 22, 10**12], True, False, None, {}, {"$date": "2025-07-28"}),
        "2025-07-28T12:00:00Z" + " " * 50 + "x",
    ],
)
def test_what_is_no_time_is_none_and_no_error(value) -> None:
    """A duration, a word, a date that no calendar has."""
    assert read_time(value, _SAO_PAULO) is None


def test_a_time_far_ahead_of_its_message_is_marked(one) -> None:
    """A clock that runs ahead must not outrank every later event."""
    near = one({"id": 7, "status": "Pronto", "atualizado_em": "2025-07-28T18:05:00Z"})
    far = one({"id": 7, "status": "Pronto", "atualizado_em": "2025-07-28T18:05:00.000001Z"})

    assert near.quando.adiantado is False
    assert far.quando.adiantado is True
    assert far.quando.em - near.quando.em == timedelta(microseconds=1)


@pytest.mark.parametrize("time", ["2999-01-01T00:00:00Z", "31/12/9999", [2101, 1, 1]])
def test_no_time_is_too_far_ahead_to_be_marked(one, time) -> None:
    """The further a clock is ahead, the more somebody should know."""
    assert one({"id": 7, "status": "Pronto", "atualizado_em": time}).quando.adiantado is True


def test_each_kind_of_event_believes_its_own_names_first(one) -> None:
    """A whole entity carries the time of its creation and of its last change."""
    times = {
        "criado_em": "2025-07-28T10:00:00Z",
        "atualizado_em": "2025-07-28T11:00:00Z",
        "timestamp": 1753718400,
    }

    def hour(kind: str) -> int:
        return int(
            one({"event_type": kind, "data": {"id_pedido": 1, "status": "recebido", **times}}).quando.em.hour
        )

    assert hour("pedido_criado") == 10
    assert hour("pedido_status_atualizado") == 11
    assert hour("pagamento_atualizado") == 11
    times["data_pagamento"] = "2025-07-28T12:00:00Z"
    assert hour("pagamento_atualizado") == 12


def test_a_duration_gives_way_to_a_time(one) -> None:
    """The monolith's time_stamp is how long it takes."""
    body = {
        "id": 7,
        "status": "Pronto",
        "time_stamp": "00:15:00",
        "ultima_atualizacao": "2025-07-28T11:00:00Z",
    }

    assert one(body).quando.em.hour == 11
    assert one({"id": 7, "status": "Pronto", "time_stamp": "00:15:00"}).quando is None


@pytest.mark.parametrize("time", [1753715100000, "2025-07-28T15:05:00", [2025, 7, 28, 15, 5]])
def test_data_is_a_time_where_it_is_no_object(one, time) -> None:
    """The word means date as well."""
    event = one({"codigo": "A-1", "itens": ["X"], "data": time})

    assert event.quando.em == datetime(2025, 7, 28, 15, 5, tzinfo=UTC)


def test_a_fraction_of_a_second_keeps_its_digits(one) -> None:
    """A float would have lost the last one."""
    text = json.dumps({"id": 7, "status": "Pronto", "timestamp": 0}).replace(" 0}", " 1753718400.000001}")

    assert one(text).quando.em.microsecond == 1
