"""A field is looked up by its names."""


def test_an_order_number_code_gives_way_to_an_id(one) -> None:
    """A code is for people, and counts only where there is no id."""
    assert one({"id": 7, "codigo": "A-0042", "status": "Pronto"}).id_pedido == "7"
    assert one({"codigo": "A-0042", "status": "Pronto"}).id_pedido == "A-0042"


def test_a_null_never_hides_a_known_value(one) -> None:
    """If a message has several names of a field, the first that holds something counts."""
    assert one({"id_pedido": None, "pedidoId": 7, "idPedido": "", "status": "Pronto"}).id_pedido == "7"
