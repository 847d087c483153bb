"""Hostile text: it may be shown, it may not act."""

import pytest

from reports.safe import inert


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("220 mx.example.test ESMTP", "220 mx.example.test ESMTP"),
        ("grüße 你好", "grüße 你好"),
        ("\x1b[2J\x1b[1;32mpass", "\\x1b[2J\\x1b[1;32mpass"),
        ("a\r\nb\tc\x00\x7f", "a\\r\\nb\\tc\\x00\\x7f"),
        ("\x9b31m", "\\x9b31m"),  # the one-octet CSI
        ("\u202egnp.exe", "\\u202egnp.exe"),  # reads right to left
        ("zero\u200bwidth\u2028", "zero\\u200bwidth\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_would_act_is_shown_as_an_escape(hostile: str, shown: str) -> None:
    assert inert(hostile) == shown
