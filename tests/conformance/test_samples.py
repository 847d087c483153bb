"""What the messages that cases deliver are made of."""

import re

import pytest

from conformance.samples import EDGES

BUFFERS = [1 << n for n in range(7, 13)]
FGETS = [octets - 1 for octets in BUFFERS]                     # a buffer that fgets fills holds a NUL too
ROOM_FOR_CRLF = [octets - 2 for octets in BUFFERS]


@pytest.mark.parametrize("octets", [*BUFFERS, *FGETS, *ROOM_FOR_CRLF, 1000, 1002, 1460, 1500])
@pytest.mark.parametrize("stuffed", [False, True], ids=["read", "sent"])
def test_a_line_of_a_dot_stands_at_an_edge_of_any_buffer_behind_any_header(octets: int, stuffed: bool) -> None:
    body = re.sub(rb"(?m)^\.", b"..", EDGES.body) if stuffed else EDGES.body
    for header in range(64):
        edges = range(octets - header % octets, len(body), octets)
        assert any(body[at - 2:at + 1] == b"\r\n." for at in edges), f"behind {header} octets"
