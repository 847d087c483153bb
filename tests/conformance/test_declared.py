"""What an operator declares, read from a file."""

from pathlib import Path

import pytest

from conformance.declared import NOTHING_DECLARED, read_declared
from reports.errors import UserError


def test_an_empty_file_declares_nothing(tmp_path: Path) -> None:
    (tmp_path / "options.toml").write_text("")
    assert read_declared(tmp_path / "options.toml") == NOTHING_DECLARED


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[addresses]\naccept = []", "addresses: Object contains unknown field `accept`"),
        ('[addresses]\naccepted = ["a@b\\r\\nDATA"]', "addresses.accepted[0]: Expected `str` matching regex"),
        ("[timers]\nscale = 0", "timers.scale: Expected `float` > 0.0"),
        ("[claims]\nrecipients_max = 0", "claims.recipients_max: Expected `int` >= 1"),
        ("nonsense", "is not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "options.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_declared(path)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_the_operators_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        read_declared(tmp_path / "nowhere.toml")


def test_two_sinks_can_be_declared(tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    first, second = 'smtp = "127.0.0.1:2526"\ndomain = "a.test"', 'plain = "127.0.0.1:2527"\nplain_domain = "b.test"'
    path.write_text(f"[sink]\n{first}\n{second}\n")
    sink = read_declared(path).sink
    assert sink is not None
    assert (sink.plain, sink.plain_domain) == ("127.0.0.1:2527", "b.test")
