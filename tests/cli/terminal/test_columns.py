"""Rows in columns, at several widths."""

from rich.cells import cell_len

from streamapp.cli.terminal.columns import INDENT, aligned

ROWS = [
    ("12:00:01", "pedido_criado", "6a736e5d", "status Recebido · total 51.00"),
    (
        "12:00:02",
        "pagamento_atualizado",
        "11",
        "status Recebido → Em preparação · status_pagamento pendente → pago",
    ),
]


def test_cells_are_below_each_other_and_numbers_end_there() -> None:
    """A person compares what is in one column."""
    lines = aligned([("queue", "waiting"), ("pedidos", "7"), ("漢字", "1,200")], right=[1])

    assert lines == ["queue    waiting", "pedidos        7", "漢字       1,200"]


def test_in_a_pipe_a_row_is_a_line_however_long() -> None:
    """`grep` looks at lines."""
    (line,) = aligned([("a", "b" * 5000)])

    assert line == f"a  {'b' * 5000}"
    assert aligned([]) == []


def test_what_has_no_room_is_left_out_or_folded_and_no_word_is_lost() -> None:
    """Each width of a terminal shows the text of the last column."""
    for width in (38, 60, 80, 100, 160):
        lines = aligned(ROWS, width=width, spare=[2])

        assert max(map(cell_len, lines)) <= width
        words = " ".join(lines).split()
        assert all(word in words for row in ROWS for word in row[3].split())
        assert any("6a736e5d" in line for line in lines) is (width >= 40)


def test_a_text_without_room_beside_the_others_stands_below_them() -> None:
    """A column of ten characters cannot be read."""
    lines = aligned(ROWS, width=60, spare=[])

    assert lines[0].startswith("12:00:01  pedido_criado")
    assert lines[1] == f"{' ' * INDENT}status Recebido · total 51.00"


def test_nothing_in_a_cell_can_act_on_a_terminal() -> None:
    """Cells hold texts from outside."""
    assert aligned([("[red]\x1b[2J", ":smile:")]) == [r"[red]\x1b[2J  :smile:"]
