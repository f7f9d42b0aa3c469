"""The announcement: its bytes, and its event id."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

from streamapp_codecs.acompanhamento import AcompanhamentoAtualizado, codec
from streamapp_codecs.codec import Origin

_EM = datetime(2025, 7, 28, 15, 0, 20, 123456, tzinfo=UTC)
_ORIGIN = Origin(queue="acompanhamento-events", message_id="m", sent_at=_EM)


def _anuncio(*, versao: int = 2, em: datetime = _EM, first: bool = False) -> AcompanhamentoAtualizado:
    return AcompanhamentoAtualizado.de(
        id_pedido="1001",
        status="Em preparação",
        status_anterior=None if first else "Recebido",
        status_pagamento="pago",
        tempo_estimado="00:26:00",
        atualizado_em=em,
        versao=versao,
    )


def test_an_announcement_has_the_agreed_keys_in_the_agreed_order() -> None:
    """Others parse it."""
    anuncio = _anuncio()

    assert codec.encode(anuncio) == (
        '{"event_type":"acompanhamento_atualizado","event_id":"' + anuncio.event_id + '",'
        '"data":{"id_acompanhamento":"1001","id_pedido":"1001","status":"Em preparação",'
        '"status_anterior":"Recebido","status_pagamento":"pago","tempo_estimado":"00:26:00",'
        '"atualizado_em":"2025-07-28T15:00:20.123456Z","data_atualizacao":"2025-07-28T15:00:20.123456Z","versao":2}}'
    )


def test_the_first_announcement_has_a_null_before() -> None:
    """The key is always there."""
    assert json.loads(codec.encode(_anuncio(first=True)))["data"]["status_anterior"] is None


def test_times_are_in_utc_with_a_z() -> None:
    """The zone they were computed in does not matter; whole seconds have no fraction."""
    brasilia = timezone(timedelta(hours=-3))

    written = codec.encode(_anuncio(em=datetime(2025, 7, 28, 12, tzinfo=brasilia)))

    assert '"atualizado_em":"2025-07-28T15:00:00Z"' in written


def test_the_event_id_is_the_hash_of_the_content() -> None:
    """Consumers use it to drop repetitions, and must never drop anything else."""
    anuncio = _anuncio()
    data = codec.encode(anuncio).partition('"data":')[2][:-1]

    assert anuncio.event_id == hashlib.sha256(data.encode()).hexdigest()
    assert anuncio.event_id == _anuncio().event_id
    assert anuncio.event_id != _anuncio(versao=3).event_id
    assert anuncio.event_id != _anuncio(first=True).event_id


def test_an_announcement_comes_back_as_it_went() -> None:
    """Tools read the queue with the same codec."""
    anuncio = _anuncio()

    assert codec.decode(codec.encode(anuncio), _ORIGIN).events == (anuncio,)


def test_an_announcement_on_an_order_queue_is_skipped(decode) -> None:
    """A queue that is subscribed to everything gets our own announcements back."""
    decoded = decode(codec.encode(_anuncio()))

    assert decoded.skipped == ("acompanhamento_atualizado",)
    assert decoded.events == ()
