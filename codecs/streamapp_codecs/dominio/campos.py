"""What producers call each field: a new name is one more entry here.

Names are folded before they are compared, so `id_pedido` stands for `idPedido`, `IdPedido`, `ID-PEDIDO` too.
A dot goes into an object: `cliente.cpf` is the `cpf` inside `cliente`. If one message has several names of a
field, the first one here that holds something counts.
"""

from streamapp_codecs.lenient.fields import field

# -- ids ----------------------------------------------------------------------------------------------------

ID_PEDIDO = field(
    "id_pedido",
    *("id_pedido", "pedido_id", "identificacao_pedido", "order_id", "id_order"),
    *("pedido.id", "pedido.id_pedido", "order.id", "identifier.order_id"),
    *("pedido", "order", "codigo_pedido"),
)
ID_PAGAMENTO = field(
    "id_pagamento",
    *("id_pagamento", "pagamento_id", "payment_id", "id_payment"),
    *("transacao_id", "id_transacao", "transaction_id", "pagamento.id", "payment.id"),
)
ID_PRODUTO = field(
    "id_produto",
    *("id_produto", "produto_id", "product_id", "sku", "sku_produto"),
    *("produto.id", "product.id", "codigo_produto"),
)
# A plain id, or a code, is that of the message's own subject; further out it would be an envelope's.
ID = field("id", "id")
CODIGO_PEDIDO = field(
    "id_pedido",
    *("codigo", "external_reference"),
    "transaction_number",  # tc-backend-s4-order: the order's uuid
)
CODIGO_PRODUTO = field("id_produto", "codigo")

# -- an order -----------------------------------------------------------------------------------------------

STATUS_PEDIDO = field(
    "status",
    *("status_pedido", "estado_pedido", "status", "situacao", "situacao_pedido", "order_status"),
)
CLIENTE = field(
    "cliente",
    *("cpf_cliente", "cliente_cpf", "cpf", "cliente.cpf", "usuario.cpf", "customer.cpf"),
    *("cliente", "identificacao_cliente", "identificacao", "documento"),
)
ITENS = field(
    "itens",
    *("itens", "items", "produtos", "products", "pedido_produtos", "itens_pedido", "itens_pedido_list"),
    *("order_items",),
)
TOTAL = field(
    "total",
    *("total", "total_pedido", "pedido_total", "valor_total", "valor_final", "valor", "preco", "amount"),
    *("total_amount", "total_price"),
)

# -- one line of an order, and a product --------------------------------------------------------------------

NOME = field(
    "nome",
    *("nome", "nome_produto", "produto_nome", "product_name", "name"),
    *("produto.nome", "product.name", "produto", "product"),
)
CATEGORIA = field(
    "categoria",
    *("categoria", "categoria_produto", "category", "product_type", "tipo_produto"),
    *("categoria.nome", "category.name", "produto.categoria", "product.category"),
)
QUANTIDADE = field(
    "quantidade",
    *("quantidade", "quantidade_produto", "quantidade_item", "qtd", "qtde", "quantity", "amount"),
)
PRECO = field(
    "preco",
    *("preco", "preco_produto", "preco_unitario", "price", "unit_price", "item_value", "valor_unitario"),
    *("produto.preco", "product.price"),
)
TEMPO_PREPARO = field(
    "tempo_preparo",
    *("tempo_preparo", "tempo_de_preparo", "cooking_time", "preparation_time"),
    *("produto.tempo_preparo", "product.cooking_time"),
)
ATIVO = field("ativo", "ativo", "disponivel", "active", "available")

# -- a payment ----------------------------------------------------------------------------------------------

STATUS_PAGAMENTO = field(
    "status_pagamento",
    *("status_pagamento", "estado_pagamento", "situacao_pagamento", "payment_status"),
    *("pagamento.status", "payment.status"),
)
STATUS = field("status", "status", "situacao")
FOI_APROVADO = field("foi_aprovado", "foi_aprovado")

# -- times: no durations (`tempo_espera`, `tempo_estimado`) --------------------------------------------------

CRIADO_EM = field(
    "criado_em",
    *("criado_em", "data_criacao", "data_pedido", "data_hora_pedido", "dt_pedido", "data_inicio"),
    *("created_at", "created", "creation_date"),
)
ATUALIZADO_EM = field(
    "atualizado_em",
    *("atualizado_em", "ultima_atualizacao", "data_atualizacao", "dt_atualizacao", "updated_at", "updated"),
)
PAGO_EM = field(
    "data_pagamento",
    *("data_pagamento", "data_hora_pagamento", "data_transacao", "pago_em", "paid_at"),
)
OCORRIDO_EM = field(
    "timestamp",
    *("timestamp", "time", "data_hora", "ocorrido_em", "occurred_at", "data", "date"),
)

# -- the kind of an event -----------------------------------------------------------------------------------

# Where such a name holds an unknown kind, the message does not concern us.
KIND = ("event_type", "tipo_evento", "event_name", "evento", "event", "detail_type")
# Such a name may hold something else than a kind, so a kind that an envelope names for certain counts first.
PERHAPS_KIND = ("tipo", "acao")
# Such a name counts only if it holds a known kind.
KIND_HINT = ("type", "action", "message_type", "metodo")
