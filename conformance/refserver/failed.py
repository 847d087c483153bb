"""How a SASL exchange can end other than well."""

from enum import Enum, auto


class Failed(Enum):
    """Why nobody was let in."""

    CREDENTIALS = auto()
    SYNTAX = auto()          # the mechanism does not allow what was sent
