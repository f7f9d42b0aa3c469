"""Every word of the vocabularies, in every spelling, and none of the others."""

import pytest

from streamapp_codecs.dominio.status import STATUS_PAGAMENTO, STATUS_PEDIDO
from streamapp_codecs.dominio.vocabulario import PAGAMENTO, PEDIDO

_PEDIDO = [(palavra, status) for status, palavras in PEDIDO.items() for palavra in palavras]
_PAGAMENTO = [(palavra, status) for status, palavras in PAGAMENTO.items() for palavra in palavras]


@pytest.mark.parametrize(("palavra", "status"), _PEDIDO)
def test_each_order_word_is_known_in_every_spelling(um, palavra, status) -> None:
    """A board shows one word for all of them."""
    for escrita in (palavra, palavra.upper(), palavra.replace("_", " ").title(), palavra.replace("_", "-")):
        assert um({"id_pedido": 1, "status": escrita}).status == status


@pytest.mark.parametrize(("palavra", "status"), _PAGAMENTO)
def test_each_payment_word_is_known_in_every_spelling(um, palavra, status) -> None:
    """A payment is one of five things."""
    for escrita in (palavra, palavra.upper(), palavra.replace("_", " ").title(), palavra.replace("_", "-")):
        assert um({"pedidoId": 1, "status": escrita}, "pagamento").pagamento.status == status


@pytest.mark.parametrize("status", PEDIDO)
def test_each_canonical_status_is_a_word_of_its_own(status) -> None:
    """What we announce must come back as what it was."""
    assert STATUS_PEDIDO.significado(status) == status


@pytest.mark.parametrize("status", PAGAMENTO)
def test_each_canonical_payment_status_is_a_word_of_its_own(status) -> None:
    """As with an order's."""
    assert STATUS_PAGAMENTO.significado(status) == status


@pytest.mark.parametrize(
    ("palavra", "status"),
    [
        ("em preparação", "Em preparação"),
        ("Em Preparacao", "Em preparação"),
        ("EM_PREPARAÇÃO", "Em preparação"),
        ("CANCELADA", "Cancelado"),
        ("pronta", "Pronto"),
        ("Entregue", "Finalizado"),
    ],
)
def test_accents_and_endings_do_not_matter(palavra, status) -> None:
    """Keyboards differ, and so does grammar."""
    assert STATUS_PEDIDO.significado(palavra) == status


@pytest.mark.parametrize("palavra", ["pago", "aprovado", "Desconhecido", "", "prontoo", "🍔", "x" * 10_000])
def test_a_word_of_another_stream_is_no_order_word(palavra) -> None:
    """There is no global vocabulary."""
    assert STATUS_PEDIDO.significado(palavra) is None


@pytest.mark.parametrize("palavra", ["em_preparacao", "pronto", "entregue", "Desconhecido", "novo"])
def test_a_kitchen_word_is_no_payment_word(palavra) -> None:
    """It would pay for an order that nobody paid."""
    assert STATUS_PAGAMENTO.significado(palavra) is None


def test_no_word_of_a_vocabulary_has_two_meanings() -> None:
    """The later line would silently win."""
    for palavras in (_PEDIDO, _PAGAMENTO):
        assert len({palavra for palavra, _ in palavras}) == len(palavras)
