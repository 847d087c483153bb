"""The resolved scenario is TOML that reads back to what it was."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from reports.document import Document
from reports.toml import to_toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_whatever_is_written_reads_back(tables: dict[str, object]) -> None:
    assert tomllib.loads(to_toml(tables)) == tables


def test_a_scenario_reads_back_and_looks_as_its_author_wrote_it(good: Document) -> None:
    text = to_toml(good.scenario)
    assert tomllib.loads(text) == good.scenario
    assert '[scenario]\nname = "steady-open"\nseed = 7\n' in text
    assert '[[session]]\nkind = "smtp-deliver"\n' in text
    assert "messages = { uniform = [1, 3] }" in text


def test_what_has_no_value_is_left_out() -> None:
    assert to_toml({"target": {"ca_file": None, "tls": "none", "hosts": [None, 1]}}) == (
        '[target]\ntls = "none"\nhosts = [1]\n'
    )
