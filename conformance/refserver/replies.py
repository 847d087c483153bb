"""SMTP replies as values, each with its enhanced status code (RFC 5321 §4.2, RFC 3463, RFC 5248)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply code, an enhanced status code where one belongs, and one text or more."""

    code: int
    status: str          # "2.1.0"; "" on a greeting, on EHLO's reply and on 3yz (RFC 2034 §4)
    texts: tuple[str, ...]
    octets: bytes        # as sent with ENHANCEDSTATUSCODES
    bare: bytes          # as sent without

    @property
    def refuses(self) -> bool:
        """Whether this is a permanent negative completion reply."""
        return self.code >= 500


def reply(code: int, status: str, *texts: str) -> Reply:
    """Make a reply; every line of a multi-line one carries the enhanced status code (RFC 2034 §4)."""
    prefixed = [f"{status} {text}" for text in texts] if status else list(texts)
    return Reply(code, status, texts, _lines(code, prefixed), _lines(code, list(texts)))


@lru_cache(maxsize=64)
def fixed_reply(code: int, status: str, *texts: str) -> Reply:
    """Make a reply that every session of a server gives alike; the first one made serves the others."""
    return reply(code, status, *texts)


def _lines(code: int, texts: list[str]) -> bytes:
    *first, last = texts
    return "".join([*(f"{code}-{text}\r\n" for text in first), f"{code} {last}\r\n"]).encode("utf-8")


# Completion.
DONE: Final = reply(250, "2.0.0", "Done")
SENDER_TAKEN: Final = reply(250, "2.1.0", "Sender accepted")
RECIPIENT_TAKEN: Final = reply(250, "2.1.5", "Recipient accepted")
MESSAGE_TAKEN: Final = reply(250, "2.0.0", "Message accepted for delivery")
CHUNK_TAKEN: Final = reply(250, "2.0.0", "Chunk accepted")
READY_FOR_TLS: Final = reply(220, "2.0.0", "Ready to start TLS")
AUTHENTICATED: Final = reply(235, "2.7.0", "Authentication succeeded")
CANNOT_VERIFY: Final = reply(252, "2.5.2", "Cannot verify, but will take mail for a mailbox that exists")
CANNOT_SHOW: Final = reply(252, "2.6.8", "The name of that mailbox needs UTF-8, which was not asked for")
NOTHING_QUEUED: Final = reply(251, "2.0.0", "No messages are waiting for this node")
CANNOT_EXPAND: Final = reply(252, "2.5.2", "Lists are not expanded here")
HELP: Final = reply(
    214, "2.0.0",
    "Commands: EHLO HELO LHLO MAIL RCPT DATA BDAT RSET",
    "NOOP QUIT VRFY EXPN HELP AUTH STARTTLS",
    "The protocol is RFC 5321",
)

# Intermediate.
SEND_MAIL_DATA: Final = reply(354, "", "Start mail input; end with <CRLF>.<CRLF>")

# For now not.
TOO_MANY_RECIPIENTS: Final = reply(452, "4.5.3", "Too many recipients")
GREYLISTED: Final = reply(450, "4.7.1", "Greylisted, please try again later")
IN_TROUBLE: Final = reply(451, "4.3.0", "Local error in processing, please try again later")
STORE_FULL: Final = reply(452, "4.3.1", "Insufficient system storage")
STORE_FAILED: Final = reply(451, "4.3.0", "The message could not be stored")
TOO_MANY_ERRORS: Final = reply(421, "4.7.0", "Too many errors, closing")
TOO_MANY_MAILS: Final = reply(421, "4.7.0", "Too many messages in a session, closing")
TOO_IDLE: Final = reply(421, "4.7.0", "Nothing but NOOP, closing")
TOO_MANY_FAILED_LOGINS: Final = reply(421, "4.7.0", "Too many failed logins, closing")
NEVER_ENDING_LINE: Final = reply(421, "4.7.0", "The line does not end, closing")
NOT_HTTP: Final = reply(421, "4.7.0", "This is no HTTP server, closing")
IDLE: Final = reply(421, "4.4.2", "Idle for too long, closing")
SHUTTING_DOWN: Final = reply(421, "4.3.2", "The service is shutting down, closing")
TOO_BUSY: Final = reply(421, "4.3.2", "Too many connections, closing")

NOT_QUEUED_FOR: Final = reply(459, "4.7.0", "Nothing is queued for this node")

# Never.
UNKNOWN_COMMAND: Final = reply(500, "5.5.1", "Command not recognized")
NOT_IMPLEMENTED: Final = reply(502, "5.5.1", "Command not implemented")
BARE_CR_OR_LF: Final = reply(500, "5.5.2", "A command line holds a bare CR or a bare LF")
LINE_TOO_LONG: Final = reply(500, "5.5.6", "Line too long")
SYNTAX: Final = reply(501, "5.5.4", "Syntax error in parameters or arguments")
NO_ARGUMENT_ALLOWED: Final = reply(501, "5.5.4", "This command takes no argument")
BAD_HELLO_NAME: Final = reply(501, "5.5.4", "Needs a domain name or an address literal")
BAD_SENDER: Final = reply(501, "5.1.7", "Bad syntax in the reverse-path")
BAD_RECIPIENT: Final = reply(501, "5.1.3", "Bad syntax in the forward-path")
BAD_PARAMETER: Final = reply(501, "5.5.4", "A parameter is malformed, repeated or out of range")
UNKNOWN_PARAMETER: Final = reply(555, "5.5.4", "A parameter is not recognized")
SENDER_NEEDS_SMTPUTF8: Final = reply(550, "5.6.7", "A reverse-path in UTF-8 needs SMTPUTF8")
RECIPIENT_NEEDS_SMTPUTF8: Final = reply(553, "5.6.7", "A forward-path in UTF-8 needs SMTPUTF8")
OUT_OF_ORDER: Final = reply(503, "5.5.1", "Bad sequence of commands")
ALREADY_TLS: Final = reply(503, "5.5.1", "TLS is already active")
ALREADY_AUTHENTICATED: Final = reply(503, "5.5.1", "Already authenticated")
NO_SERVICE: Final = reply(503, "5.5.1", "There is no service here, only QUIT")
NO_SUCH_MAILBOX: Final = reply(550, "5.1.1", "No such mailbox here")
NO_RELAYING: Final = reply(550, "5.7.1", "Relaying is not permitted")
MESSAGE_TOO_BIG: Final = reply(552, "5.3.4", "Message larger than the advertised limit")
MAILDROP_FULL: Final = reply(552, "5.2.2", "Mailbox full")
BARE_CR_OR_LF_IN_DATA: Final = reply(554, "5.6.0", "The mail data hold a bare CR or a bare LF")
LOOP: Final = reply(554, "5.4.6", "Too many Received fields: a mail loop")
TLS_NOT_CERTAIN: Final = reply(550, "5.7.30", "Nothing is sent on that requires TLS")
NOT_QUALIFIED: Final = reply(554, "5.6.1", "A domain of one label is none")
SOMEBODY_ELSE: Final = reply(553, "5.7.1", "That is somebody else's address")
LOGIN_REQUIRED: Final = reply(530, "5.7.0", "Authentication required")
UNKNOWN_MECHANISM: Final = reply(504, "5.5.4", "Mechanism not recognized")
MECHANISM_NEEDS_TLS: Final = reply(538, "5.7.11", "This mechanism needs TLS")
BAD_SASL_OCTETS: Final = reply(501, "5.5.2", "Not base64, or not what the mechanism allows")
AUTH_CANCELLED: Final = reply(501, "5.7.0", "Authentication cancelled")
AUTH_FAILED: Final = reply(535, "5.7.8", "Authentication credentials invalid")
