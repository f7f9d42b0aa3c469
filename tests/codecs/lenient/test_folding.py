"""Names and words compare after folding."""

from streamapp_codecs.lenient.folding import fold_name


def test_names_compare_after_folding() -> None:
    """Teams spell in five ways, and in two languages."""
    assert {fold_name(name) for name in ("id_pedido", "idPedido", "IdPedido", "ID-PEDIDO", "íd pedído")} == {
        "idpedido"
    }
    assert fold_name("Em Preparação") == "empreparacao"
    assert fold_name("x" * 100_000) == "x" * 100_000


def test_a_document_stores_own_id_gives_way_to_the_plain_one(one) -> None:
    """`_id` and `id` fold to one name."""
    assert one({"id": 12, "_id": "65f0c0ff", "status": "Pronto"}).id_pedido == "12"
    assert one({"_id": "65f0c0ff", "id": 12, "status": "Pronto"}).id_pedido == "12"
    assert one({"_id": "65f0c0ff", "status": "Pronto"}).id_pedido == "65f0c0ff"
