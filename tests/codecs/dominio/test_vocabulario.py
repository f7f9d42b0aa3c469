"""Every word of the vocabularies, in every spelling, and none of the others."""

import pytest

from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO
from streamapp_codecs.dominio.vocabulario import PAGAMENTO, PEDIDO

_PEDIDO = [(word, status) for status, words in PEDIDO.items() for word in words]
_PAGAMENTO = [(word, status) for status, words in PAGAMENTO.items() for word in words]


@pytest.mark.parametrize(("word", "status"), _PEDIDO)
def test_each_order_word_is_known_in_every_spelling(one, word, status) -> None:
    """A board shows one word for all of them."""
    for spelling in (word, word.upper(), word.replace("_", " ").title(), word.replace("_", "-")):
        assert one({"id_pedido": 1, "status": spelling}).status == status


@pytest.mark.parametrize(("word", "status"), _PAGAMENTO)
def test_each_payment_word_is_known_in_every_spelling(one, word, status) -> None:
    """A payment is one of five things."""
    for spelling in (word, word.upper(), word.replace("_", " ").title(), word.replace("_", "-")):
        assert one({"pedidoId": 1, "status": spelling}, "pagamento").pagamento.status == status


@pytest.mark.parametrize("status", PEDIDO)
def test_each_canonical_status_is_a_word_of_its_own(status) -> None:
    """What we announce must come back as what it was."""
    assert STATUS_PEDIDO.meaning(status) == status


@pytest.mark.parametrize("status", PAGAMENTO)
def test_each_canonical_payment_status_is_a_word_of_its_own(status) -> None:
    """The same holds for payments."""
    assert STATUS_PAGAMENTO.meaning(status) == status


@pytest.mark.parametrize("word", ["pago", "aprovado", "Desconhecido", "", "prontoo", "🍔", "x" * 10_000])
def test_a_word_of_another_stream_is_no_order_word(word) -> None:
    """There is no global vocabulary."""
    assert STATUS_PEDIDO.meaning(word) is None


@pytest.mark.parametrize("word", ["em_preparacao", "pronto", "entregue", "Desconhecido", "novo"])
def test_a_kitchen_word_is_no_payment_word(word) -> None:
    """It would pay for an order that nobody paid."""
    assert STATUS_PAGAMENTO.meaning(word) is None


def test_no_word_of_a_vocabulary_has_two_meanings() -> None:
    """Then the later line would silently count."""
    for words in (_PEDIDO, _PAGAMENTO):
        assert len({word for word, _ in words}) == len(words)
