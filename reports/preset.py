"""Sets of gates that are known by a name."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from reports.errors import UserError
from reports.gate import Gate

SPECMAIL2001: Final = "specmail2001"
# SPECmail2001's rules of quality, as they are told of: it is retired, and its tables were never free. Each of these
# within 5 seconds for 95 in 100: to connect, to hand over mail, and of a maildrop to ask, retrieve and delete it.
_WITHIN_5_S: Final = (
    "smtp.connect", "smtp.data", "smtp.body", "pop3.connect", "pop3.stat", "pop3.retr", "pop3.dele",
)   # fmt: skip

PRESETS: Final[Mapping[str, tuple[Gate, ...]]] = MappingProxyType({
    SPECMAIL2001: (
        *(Gate(metric=f"{phase}.response", percentile=95, at_most="5s") for phase in _WITHIN_5_S),
        Gate(metric="end_to_end", percentile=95, at_most="60s"),
        Gate(metric="errors.share", below="1 %"),
    ),
})


def gates_of_preset(name: str) -> tuple[Gate, ...]:
    """Return the gates of a preset. UserError names those there are."""
    if name not in PRESETS:
        raise UserError(f'unknown preset "{name}"; {known(name)}')
    return PRESETS[name]


def known(name: str) -> str:
    """Return which presets there are, the nearest to a name first: the end of a sentence."""
    near = difflib.get_close_matches(name, PRESETS, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(PRESETS)}"
