"""What the reference server is asked to be: frozen values that the machines consult where they decide.

This is the seam for lawful variants and faults. A variant is `replace(Behaviour(), vrfy=VrfyPolicy.TELL)`; a faulty
server has `faults`, each of which changes what happens at one point of a session.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.workers import NO_WORK, Work


class Extension(StrEnum):
    """SMTP service extensions, in the order in which EHLO lists them."""

    PIPELINING = "PIPELINING"                    # RFC 2920
    SIZE = "SIZE"                                # RFC 1870
    EIGHT_BIT_MIME = "8BITMIME"                  # RFC 6152
    SMTPUTF8 = "SMTPUTF8"                        # RFC 6531
    ENHANCED_STATUS_CODES = "ENHANCEDSTATUSCODES"  # RFC 2034
    CHUNKING = "CHUNKING"                        # RFC 3030
    BINARYMIME = "BINARYMIME"                    # RFC 3030 §3
    DSN = "DSN"                                  # RFC 3461
    STARTTLS = "STARTTLS"                        # RFC 3207
    AUTH = "AUTH"                                # RFC 4954
    EXPN = "EXPN"                                # RFC 5321 §3.5.2: listed, and answered 252
    HELP = "HELP"                                # RFC 5321 §4.1.1.8
    ETRN = "ETRN"                                # RFC 1985; nothing is queued here, so it is answered at once
    DELIVERBY = "DELIVERBY"                      # RFC 2852: delivery is always in time
    MT_PRIORITY = "MT-PRIORITY"                  # RFC 6710: nothing waits, so nothing overtakes
    REQUIRETLS = "REQUIRETLS"                    # RFC 8689; nothing that has it is sent on
    LIMITS = "LIMITS"                            # RFC 9422


# What few servers have. A server that offers them is asked for them by `more-extensions`.
RARE: Final = frozenset({
    Extension.ETRN, Extension.DELIVERBY, Extension.MT_PRIORITY, Extension.REQUIRETLS, Extension.LIMITS,
})


class Capability(StrEnum):
    """POP3 capabilities, in the order in which CAPA lists them (RFC 2449 §6)."""

    USER = "USER"
    SASL = "SASL"                                # RFC 5034
    STLS = "STLS"                                # RFC 2595 §4
    TOP = "TOP"
    UIDL = "UIDL"
    RESP_CODES = "RESP-CODES"
    AUTH_RESP_CODE = "AUTH-RESP-CODE"            # RFC 3206
    PIPELINING = "PIPELINING"
    EXPIRE = "EXPIRE NEVER"
    UTF8 = "UTF8 USER"                           # RFC 6856 §2
    LANG = "LANG"                                # RFC 6856 §3


# What few servers have, and `more-extensions` asks for as well. Without UTF8 mail in UTF-8 is given out as it is.
RARE_CAPABILITIES: Final = frozenset({Capability.UTF8, Capability.LANG})


class VrfyPolicy(Enum):
    """What VRFY says of an address (RFC 5321 §3.5.3, §7.3)."""

    NEVER_TELL = auto()                          # 252, whoever is asked about
    TELL = auto()                                # 250 with the mailbox, 550 when there is none


PLAIN: Final = "PLAIN"
LOGIN: Final = "LOGIN"
CRAM_MD5: Final = "CRAM-MD5"
SCRAM_SHA_256: Final = "SCRAM-SHA-256"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Every lawful choice of the server, each consulted at one decision point; and its faults."""

    host_name: str = "mail.example.test"
    greeting_text: str = "ready"                 # after the host name; no product, no version (RFC 5321 §7.5)
    extensions: frozenset[Extension] = frozenset(Extension) - RARE
    smtp_mechanisms: tuple[str, ...] = (PLAIN, LOGIN, CRAM_MD5, SCRAM_SHA_256)
    capabilities: frozenset[Capability] = frozenset(Capability) - RARE_CAPABILITIES
    pop3_mechanisms: tuple[str, ...] = (PLAIN, CRAM_MD5, SCRAM_SHA_256)
    surrogates: bool = False                     # RFC 6856 §2.1: who did not say UTF8 gets mail in UTF-8 rewritten
    apop: bool = True                            # RFC 1939 §7: a timestamp in the greeting offers it
    clear_text_passwords: bool = True            # PLAIN, LOGIN, USER/PASS without TLS: a test server's choice
    login_required: bool = False                 # nobody says MAIL without: a submission server (RFC 6409 §4.3)
    vrfy: VrfyPolicy = VrfyPolicy.NEVER_TELL
    faults: tuple[Fault, ...] = ()               # departures, for cases to be proved on; none: lawful
    refuses_service: int | None = None           # greet so, and obey QUIT alone (RFC 5321 §3.1: 554; RFC 7504: 521)
    greylisting_s: float | None = None           # RFC 6647: who is new has to wait this long, and come again
    quota_at_rcpt: bool = True                   # a full maildrop is refused at RCPT, else once the message is there
    names_recipients: bool = False               # LMTP: the reply for a recipient says who that is
    lf_ends_lines: bool = False                  # as over X.25 (RFC 1090 §8); over TCP it is no lawful choice
    tempfail: float = 0.0                        # share of deliveries answered 451 though nothing is wrong with them
    work: Work = NO_WORK                          # what a message costs; by default no time but the machine's own


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the server takes of anything. Octets count CRLF; seconds are of the event loop's clock."""

    message_octets: int = 32 * 1024 * 1024       # RFC 1870; at least 64 KiB (RFC 5321 §4.5.3.1.7)
    recipients: int = 1_000                      # at least 100 (RFC 5321 §4.5.3.1.8)
    received_fields: int = 100                   # RFC 5321 §6.3: a loop past it
    smtp_line_octets: int = 2_048                # 512 + what the offered extensions add (RFC 5321 §4.5.3.1.4)
    pop3_line_octets: int = 255                  # RFC 2449 §4
    sasl_line_octets: int = 12_290               # RFC 4954 §4 wants 12,288, and CRLF
    endless_line_octets: int = 1024 * 1024       # a line that never ends is cut off here, unread
    errors: int = 100                            # since the last message (POP3: in a row); then the session ends
    mails: int = 100_000                         # transactions in a session; then it ends
    noops: int = 10_000                          # per session: who says no more than that wants nothing
    failed_logins: int = 10                      # per session, then it ends
    maildrop_octets: int = 1024 * 1024 * 1024    # one maildrop's quota
    memory_octets: int = 2 * 1024 * 1024 * 1024  # all maildrops kept in memory
    connections: int = 10_000
    smtp_idle_s: float = 300.0                   # RFC 5321 §4.5.3.2.7
    pop3_idle_s: float = 600.0                   # RFC 1939 §3: at least ten minutes
