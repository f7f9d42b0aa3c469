"""Texts that people read."""


def test_kept_text_is_short_and_clean(one) -> None:
    """It is shown on terminals and boards."""
    line = {"id": 1, "nome": " X\x1b[2J\u009bY\n" + "z" * 500, "categoria": "LAN\x00CHE"}

    (item,) = one({"id_pedido": 7, "itens": [line]}).criacao.itens

    assert item.nome.startswith("X [2J Y z")
    assert len(item.nome) == 200
    assert item.categoria == "LAN CHE"
