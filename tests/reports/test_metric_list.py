"""The vocabulary: what the list and the README name can be gated, and the list names all there is."""

import re
from pathlib import Path

from reports.metric import known_metrics, metric_named
from reports.metric_list import metric_list
from reports.named_metric import ANYTHING_NAMED
from reports.phases import PHASES

EXAMPLES = {
    "<phase>": "smtp.body", "<name>": "any", "<outcome>": "failed", "<code>": "4yz", "<class>": "lost",
    "<verdict>": "fail", "<what>": "accepted",
}   # fmt: skip
README = Path(__file__).parents[2] / "README.md"


def example_of(name: str) -> str:
    for family, example in EXAMPLES.items():
        name = name.replace(family, example)
    return name


def test_every_metric_of_the_readme_can_be_gated() -> None:
    table = README.read_text(encoding="utf-8").partition("| what a gate looks at | metric |")[2].partition("\n\n")[0]
    names = [name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row)]
    assert len(names) > 25
    assert [name for name in names if metric_named(example_of(name), ANYTHING_NAMED) is None] == []


def test_the_list_names_all_there_is_and_nothing_else() -> None:
    listed = re.findall(r"^  (\S+) +(?:time|count|share|per second)", metric_list(), re.MULTILINE)
    phases = {f"{phase}.{what}" for phase in PHASES for what in ("response", "service")}
    assert {*listed} == {*known_metrics()} - phases | {"<phase>.response", "<phase>.service"}
    assert [name for name in listed if metric_named(example_of(name), ANYTHING_NAMED) is None] == []
    assert len(listed) == len(set(listed))
