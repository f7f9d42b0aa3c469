"""Words as messages state them."""

import pytest

from streamapp_codecs.dominio.status import STATUS_PEDIDO


@pytest.mark.parametrize("status", [0, 3, "3", " 2 ", 1.0, "1.0"])
@pytest.mark.parametrize("rest", [{}, {"itens": ["X"]}])
def test_a_number_as_a_status_is_undecidable(reason, status, rest) -> None:
    """Five producers count in five ways."""
    assert reason({"id_pedido": 1, "status": status, **rest}) == "undecidable"


@pytest.mark.parametrize("status", [True, [], {}, ["Pronto"], {"nome": "Pronto"}])
def test_what_is_no_word_is_no_status(reason, status) -> None:
    """It is neither a word nor a number."""
    assert reason({"id_pedido": 1, "status": status}) == "invalid_value"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("em preparação", "Em preparação"),
        ("Em Preparacao", "Em preparação"),
        ("EM_PREPARAÇÃO", "Em preparação"),
        ("CANCELADA", "Cancelado"),
        ("pronta", "Pronto"),
        ("Entregue", "Finalizado"),
    ],
)
def test_accents_and_endings_do_not_matter(word, status) -> None:
    """Keyboards differ, and so does grammar."""
    assert STATUS_PEDIDO.meaning(word) == status
