"""What a requirement needs before it can be looked into, and how a run is given it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

_EXTENSION: Final = "ext:"


class Need(StrEnum):
    """What must be given, by the letter the rows use. `ext:KEYWORD` is no letter: the server offers it or not."""

    ACCEPTED_ADDRESS = "r"
    REJECTED_ADDRESS = "x"
    LOGIN = "a"
    READ_BACK = "k"
    MAILDROP = "p"
    TWO_MAILDROP_SESSIONS = "p2"
    TLS = "t"
    LOW_SIZE_LIMIT = "z"
    OVER_QUOTA_ADDRESS = "q"
    SLOW = "slow"
    SEVERAL_CONNECTIONS = "n>1"
    LEAVE_MAIL = "w"
    OPERATOR = "adm"
    SINK = "sink"
    X25 = "x25"


@dataclass(frozen=True, slots=True)
class NeedWords:
    """One need for people."""

    sentence: str        # what is missing, as it reads behind "needs"
    given_by: str        # the option, or what the server has to do


NEEDS: Final[Mapping[Need, NeedWords]] = MappingProxyType({
    Need.ACCEPTED_ADDRESS: NeedWords("an address that the server accepts", "addresses.accepted"),
    Need.REJECTED_ADDRESS: NeedWords("an address that the server rejects in the session", "addresses.rejected"),
    Need.LOGIN: NeedWords("a login for AUTH", "accounts.smtp"),
    Need.READ_BACK: NeedWords("a way to read back what was stored or sent on", "a pop3:// target, or maildir"),
    Need.MAILDROP: NeedWords("a POP3 account", "accounts.pop3"),
    Need.TWO_MAILDROP_SESSIONS: NeedWords("two POP3 accounts, or two sessions on one", "accounts.pop3"),
    Need.TLS: NeedWords("TLS", "the server: STARTTLS, STLS, or TLS from the start"),
    Need.LOW_SIZE_LIMIT: NeedWords(
        "a low limit on the size of a message", "claims.message_octets_max, or the server: SIZE up to 4 MiB"
    ),
    Need.OVER_QUOTA_ADDRESS: NeedWords("an address whose maildrop is full", "addresses.over_quota"),
    Need.SLOW: NeedWords("more than a minute", "--slow"),
    Need.SEVERAL_CONNECTIONS: NeedWords("several connections at once", "the server: it must admit them"),
    Need.LEAVE_MAIL: NeedWords("leave to deliver mail and leave it there", "allow.leave_mail"),
    Need.SINK: NeedWords("a sink that the server sends a domain's mail to", "sink.smtp and sink.domain"),
    Need.X25: NeedWords("to be asked as over X.25 (RFC 1090)", "--profile rfc1090"),
    Need.OPERATOR: NeedWords("an operator's hand on the server", "claims.restart, or by hand"),
})


def words_for(need: str) -> NeedWords:
    """Return one of a requirement's needs for people.

    >>> words_for("ext:DSN")
    NeedWords(sentence='DSN', given_by='the server: its reply to EHLO, LHLO or CAPA')
    """
    if need.startswith(_EXTENSION):
        return NeedWords(need.removeprefix(_EXTENSION), "the server: its reply to EHLO, LHLO or CAPA")
    return NEEDS[Need(need)]
