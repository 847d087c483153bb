"""AUTH: challenges, success without data, and nobody's password in a reply (RFC 4954 §4)."""

import re
from base64 import b64decode
from typing import Final

from conformance.monitors.exchange import NO_COMMAND, Asked, Exchange, SmtpState
from conformance.monitors.monitor import Monitor
from loadgen.wire.printable import printable

SECRET_OCTETS_MIN: Final = 6         # a shorter password is found in any text by chance
# base64 = base64-terminal / ( 1*(4base64-CHAR) [base64-terminal] )   (RFC 4954 §8)
_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_STATUS: Final = re.compile(rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3} +")
# What a mechanism's last word to the client begins with: SCRAM (RFC 5802 §7), DIGEST-MD5 (RFC 2831 §2.1.3).
_SERVER_DATA: Final = (b"v=", b"e=", b"rspauth=")
_SECRETS_KEPT: Final = 16
_AUTH: Final = frozenset({"AUTH", NO_COMMAND})      # an exchange goes on by responses, which are no commands


def is_challenge(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether the reply is a challenge."""
    return exchange.authenticates and exchange.code == 334


def not_base64(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 4954 §4: a challenge is base64, or nothing."""
    bad = (text for text in exchange.texts if not _BASE64.fullmatch(text))
    return next((f'challenge "{printable(text, 120)}"' for text in bad), None)


def several_lines(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 4954 §4: a challenge is one line."""
    return f"a challenge of {len(exchange.texts)} lines" if len(exchange.texts) > 1 else None


def is_success(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether the login succeeded."""
    return exchange.authenticates and exchange.code == 235


def carries_server_data(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 4954 §4: data that come with success come in a challenge before it."""
    return next((f'"235 {printable(text, 120)}"' for text in exchange.texts if is_server_data(text)), None)


def is_server_data(text: bytes) -> bool:
    """Say whether a text is a mechanism's last word in base64, and nothing beside it."""
    status = _STATUS.match(text)
    word = text[status.end() if status is not None else 0 :].strip()
    return bool(word) and bool(_BASE64.fullmatch(word)) and b64decode(word).startswith(_SERVER_DATA)


def secrets_seen(exchange: Exchange, state: SmtpState) -> tuple[bytes, ...]:
    """Return what we sent so far that must not come back: passwords, and the base64 that carries them."""
    mechanism, _, initial = exchange.command.partition(b" ")[2].partition(b" ")
    if exchange.asked is Asked.RESPONSE:
        return (*state.secrets, *_from_base64(exchange.command))[-_SECRETS_KEPT:]
    if exchange.verb == "AUTH" and mechanism.upper() == b"PLAIN":
        return (*state.secrets, *_from_base64(initial))[-_SECRETS_KEPT:]
    return state.secrets


def _from_base64(blob: bytes) -> tuple[bytes, ...]:
    if len(blob) < SECRET_OCTETS_MIN or not _BASE64.fullmatch(blob):
        return ()
    plain = b64decode(blob)
    fields = plain.split(b"\x00")
    if len(fields) != 3:             # no PLAIN: LOGIN's user name or password, or a digest
        return (blob,)
    _, name, password = fields       # message = [authzid] UTF8NUL authcid UTF8NUL passwd   (RFC 4616 §2)
    tells = len(password) >= SECRET_OCTETS_MIN and password not in name
    return (blob, password) if tells else (blob,)


def has_secrets(exchange: Exchange, state: SmtpState) -> bool:
    """Say whether anything was sent that must not come back."""
    return exchange.reply is not None and bool(secrets_seen(exchange, state))


def echoes(exchange: Exchange, state: SmtpState) -> str | None:
    """Credentials never come back; a challenge may look like anything."""
    if exchange.code == 334 or exchange.reply is None:
        return None
    octets = exchange.reply.octets
    leaked = any(secret in octets for secret in secrets_seen(exchange, state))
    return f"{exchange.code} with what was sent as a credential" if leaked else None   # not shown: it is a password


def remember(exchange: Exchange, state: SmtpState) -> SmtpState:
    """Return the state with this exchange's secrets."""
    return state._replace(secrets=secrets_seen(exchange, state)) if exchange.authenticates else state


MONITORS: Final = (
    Monitor("smtp.auth.challenge-base64", is_challenge, not_base64, to=_AUTH),
    Monitor("smtp.auth.challenge-single-line", is_challenge, several_lines, to=_AUTH),
    Monitor("smtp.auth.235-no-data", is_success, carries_server_data, to=_AUTH),
    Monitor("smtp.auth.no-cred-echo", has_secrets, echoes),
)
