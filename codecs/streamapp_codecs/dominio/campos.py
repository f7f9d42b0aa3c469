"""What producers call each field: a new name is one more entry here.

Names are folded before they are compared, so `id_pedido` stands for `idPedido`, `IdPedido`, `ID-PEDIDO` too.
A dot goes into an object: `cliente.cpf` is the `cpf` inside `cliente`. Of several names in one message the
first one here that holds something counts.
"""

from streamapp_codecs.lenient.fields import campo

# -- ids ----------------------------------------------------------------------------------------------------

ID_PEDIDO = campo(
    "id_pedido",
    *("id_pedido", "pedido_id", "identificacao_pedido", "order_id", "id_order"),
    *("pedido.id", "pedido.id_pedido", "order.id", "identifier.order_id"),
    *("pedido", "order", "codigo_pedido"),
)
ID_PAGAMENTO = campo(
    "id_pagamento",
    *("id_pagamento", "pagamento_id", "payment_id", "id_payment"),
    *("transacao_id", "id_transacao", "transaction_id", "pagamento.id", "payment.id"),
)
ID_PRODUTO = campo(
    "id_produto",
    *("id_produto", "produto_id", "product_id", "sku", "sku_produto"),
    *("produto.id", "product.id", "codigo_produto"),
)
# A plain id, or a code, is that of what the message speaks of; further out it would be an envelope's.
ID = campo("id", "id")
CODIGO_PEDIDO = campo(
    "id_pedido",
    *("codigo", "external_reference"),
    "transaction_number",  # tc-backend-s4-order: the order's uuid
)
CODIGO_PRODUTO = campo("id_produto", "codigo")

# -- an order -----------------------------------------------------------------------------------------------

STATUS_PEDIDO = campo(
    "status",
    *("status_pedido", "estado_pedido", "status", "situacao", "situacao_pedido", "order_status"),
)
CLIENTE = campo(
    "cliente",
    *("cpf_cliente", "cliente_cpf", "cpf", "cliente.cpf", "usuario.cpf", "customer.cpf"),
    *("cliente", "identificacao_cliente", "identificacao", "documento"),
)
ITENS = campo(
    "itens",
    *("itens", "items", "produtos", "products", "pedido_produtos", "itens_pedido", "itens_pedido_list"),
    *("order_items",),
)
TOTAL = campo(
    "total",
    *("total", "total_pedido", "pedido_total", "valor_total", "valor_final", "valor", "preco", "amount"),
    *("total_amount", "total_price"),
)

# -- one line of an order, and a product --------------------------------------------------------------------

NOME = campo(
    "nome",
    *("nome", "nome_produto", "produto_nome", "product_name", "name"),
    *("produto.nome", "product.name", "produto", "product"),
)
CATEGORIA = campo(
    "categoria",
    *("categoria", "categoria_produto", "category", "product_type", "tipo_produto"),
    *("categoria.nome", "category.name", "produto.categoria", "product.category"),
)
QUANTIDADE = campo(
    "quantidade",
    *("quantidade", "quantidade_produto", "quantidade_item", "qtd", "qtde", "quantity", "amount"),
)
PRECO = campo(
    "preco",
    *("preco", "preco_produto", "preco_unitario", "price", "unit_price", "item_value", "valor_unitario"),
    *("produto.preco", "product.price"),
)
TEMPO_PREPARO = campo(
    "tempo_preparo",
    *("tempo_preparo", "tempo_de_preparo", "cooking_time", "preparation_time"),
    *("produto.tempo_preparo", "product.cooking_time"),
)
ATIVO = campo("ativo", "ativo", "disponivel", "active", "available")

# -- a payment ----------------------------------------------------------------------------------------------

STATUS_PAGAMENTO = campo(
    "status_pagamento",
    *("status_pagamento", "estado_pagamento", "situacao_pagamento", "payment_status"),
    *("pagamento.status", "payment.status"),
)
STATUS = campo("status", "status", "situacao")
FOI_APROVADO = campo("foi_aprovado", "foi_aprovado")

# -- times: durations (`tempo_espera`, `tempo_estimado`) are none -------------------------------------------

CRIADO_EM = campo(
    "criado_em",
    *("criado_em", "data_criacao", "data_pedido", "data_hora_pedido", "dt_pedido", "data_inicio"),
    *("created_at", "created", "creation_date"),
)
ATUALIZADO_EM = campo(
    "atualizado_em",
    *("atualizado_em", "ultima_atualizacao", "data_atualizacao", "dt_atualizacao", "updated_at", "updated"),
)
PAGO_EM = campo(
    "data_pagamento",
    *("data_pagamento", "data_hora_pagamento", "data_transacao", "pago_em", "paid_at"),
)
OCORRIDO_EM = campo(
    "timestamp",
    *("timestamp", "time", "data_hora", "ocorrido_em", "occurred_at", "data", "date"),
)

# -- the kind of an event -----------------------------------------------------------------------------------

# Where such a name holds an unknown kind, the message is of no concern to us.
TIPO = ("event_type", "tipo_evento", "event_name", "evento", "event", "detail_type")
# Such a name may hold something else beside a kind, so an envelope that knows better is believed first.
TIPO_TALVEZ = ("tipo", "acao")
# Such a name counts only if it holds a known kind.
TIPO_INDICIO = ("type", "action", "message_type", "metodo")
