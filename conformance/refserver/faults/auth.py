"""Faults in AUTH and PLAIN (RFC 4954 §4, RFC 4616)."""

from typing import Final

from conformance.refserver import replies, sasl
from conformance.refserver.directory import Account
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, When, answers, before_hello
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import Reading, SmtpState


def _message(argument: bytes) -> list[bytes]:
    """Return the fields of PLAIN's initial response."""
    return (sasl.decode_base64(argument.partition(b" ")[2].split(b" ")[0]) or b"").split(b"\0")



def _one_word(session: SmtpState, argument: bytes) -> bool:
    return b" " not in argument


def _with_response(session: SmtpState, argument: bytes) -> bool:
    return b" " in argument


def _lower_case(session: SmtpState, argument: bytes) -> bool:
    return argument.startswith(b"plain")


def _lets_in(when: When) -> Around:
    """Let everybody in whose AUTH fits."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return replies.AUTHENTICATED if verb == b"AUTH" and when(session, argument) else go_on()

    return around


def _again(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take AUTH however often a session says it."""
    if verb == b"AUTH":
        session.account = None
    return go_on()


def _again_after_ehlo(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"EHLO":
        session.account = None
    return go_on()


def _in_transactions(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return COMMANDS[b"AUTH"].run(session, argument) if verb == b"AUTH" and session.transaction else go_on()


def _one_chance(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse AUTH once one has failed."""
    if verb == b"AUTH" and session.memory.get("failed"):
        return replies.OUT_OF_ORDER
    reply = go_on()
    if reply is replies.AUTH_FAILED:
        session.memory["failed"] = True
    return reply


def _never_after(verb: bytes, key: str) -> Around:
    """Refuse AUTH once a command was said."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said == b"AUTH" and session.memory.get(key):
            return replies.OUT_OF_ORDER
        session.memory[key] = session.memory.get(key) or said == verb
        return go_on()

    return around


def _once_begun(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse a second AUTH of a session."""
    if verb == b"AUTH" and session.memory.get("begun"):
        return replies.OUT_OF_ORDER
    session.memory["begun"] = session.memory.get("begun") or (verb == b"AUTH" and b" " not in argument)
    return go_on()


def _runs_commands(session: SmtpState, octets: bytes) -> bytes:
    """End an exchange by a command, and run it."""
    if session.reading is Reading.SASL_RESPONSE and octets in {b"RSET\r\n", b"QUIT\r\n"}:
        session.exchange, session.reading = None, Reading.COMMAND
    return octets


def _answers_response(response: bytes, octets: bytes) -> Fault:
    """Return the fault that answers a response to a challenge with something else."""
    name = {b"*\r\n": "cancel", b"\r\n": "empty"}.get(response, response.decode("ascii").strip().lower())
    key = f"said-{name}"

    def incoming(session: SmtpState, came: bytes) -> bytes:
        session.memory[key] = session.reading is Reading.SASL_RESPONSE and came == response
        return came

    def outgoing(session: SmtpState, verb: bytes, lawful: bytes) -> bytes:
        return octets if session.memory.pop(key, False) else lawful

    label = "".join(letter for letter in name if letter.isalnum()) or "no-alphabet"
    return Fault(f"auth-takes-{label}", f"the response {name!r} is answered otherwise",
                 incoming=incoming, outgoing=outgoing)


def _tells_who_exists(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    reply = go_on()
    unknown = b"nobody" in (_message(argument)[1:2] or [b""])[0]
    return replies.reply(535, "5.7.8", "No such user") if reply is replies.AUTH_FAILED and unknown else reply


def _account(session: SmtpState, name: bytes) -> Account | None:
    return session.service.directory.account(name.decode("utf-8", "replace"))


def _wrong(session: SmtpState, argument: bytes) -> bool:
    fields = _message(argument)
    return len(fields) == 3 and fields[2].startswith(b"wrong")


def _empty(session: SmtpState, argument: bytes) -> bool:
    fields = _message(argument)
    return len(fields) == 3 and not (fields[1] and fields[2])


def _prefix(session: SmtpState, argument: bytes) -> bool:
    fields = _message(argument)
    account = _account(session, fields[1]) if len(fields) == 3 else None
    return account is not None and fields[2][:-1] == account.password.encode()


def _of_another_form(session: SmtpState, argument: bytes) -> bool:
    return argument.startswith(b"PLAIN ") and len(_message(argument)) != 3 and b"secret" in b"".join(_message(argument))


def _never(session: SmtpState, argument: bytes) -> bool:
    return b" " in argument and argument.count(b" ") > 1


def _bad_initial(session: SmtpState, argument: bytes) -> bool:
    return argument == b"PLAIN !!!!"


def _nonsense(session: SmtpState, argument: bytes) -> bool:
    return argument == b"X-NONE"


def _bare(session: SmtpState, argument: bytes) -> bool:
    return not argument


FAULTS: Final = (
    Fault("auth-odd-name", "a mechanism has a name in lower case",
          outgoing=lambda session, verb, octets: octets.replace(b"AUTH PLAIN", b"AUTH PLAIN plain+")),
    Fault("auth-knows-all", "any mechanism is taken", around=_lets_in(_nonsense)),
    Fault("auth-needs-no-mechanism", "AUTH alone lets in", around=_lets_in(_bare)),
    Fault("auth-before-hello", "AUTH before EHLO lets in", around=_lets_in(before_hello)),
    Fault("auth-minds-case", "mechanisms in lower case are unknown", around=answers(b"AUTH", 504, _lower_case)),
    Fault("auth-no-initial-response", "an initial response is refused", around=answers(b"AUTH", 501, _with_response)),
    Fault("auth-wants-initial-response", "AUTH without a response is refused",
          around=answers(b"AUTH", 501, _one_word)),
    Fault("auth-talks", "the empty challenge has words",
          outgoing=lambda session, verb, octets: b"334 VGVsbA==\r\n" if octets == b"334 \r\n" else octets),
    _answers_response(b"*\r\n", b"250 2.0.0 Cancelled\r\n"),
    _answers_response(b"\r\n", b"235 2.7.0 Hello\r\n"),
    *[_answers_response(response + b"\r\n", b"235 2.7.0 Hello\r\n")
      for response in (b"!!!!", b"AGFiY", b"=AAA", b"AAA=BBB=")],
    Fault("auth-once-begun", "a cancelled exchange cannot be begun again", around=_once_begun),
    Fault("auth-bad-initial", "an initial response need not be base64", around=_lets_in(_bad_initial)),
    Fault("auth-extra", "words behind the response are of no account", around=_lets_in(_never)),
    Fault("auth-again", "AUTH may be said again", around=_again),
    Fault("auth-again-after-ehlo", "EHLO ends a login", around=_again_after_ehlo),
    Fault("auth-in-transaction", "AUTH is taken in a transaction", around=_in_transactions),
    Fault("auth-not-after-mail", "AUTH is refused once MAIL was said", around=_never_after(b"MAIL", "mail")),
    Fault("auth-one-chance", "after a wrong password AUTH is refused", around=_one_chance),
    Fault("auth-any-password", "a wrong password lets in", around=_lets_in(_wrong)),
    Fault("auth-empty-fields", "empty fields let in", around=_lets_in(_empty)),
    Fault("auth-prefix", "of the password only the beginning counts", around=_lets_in(_prefix)),
    Fault("auth-550", "a wrong password is answered 550", outgoing=lambda session, verb, octets: (
        b"550 5.7.8 No\r\n" if octets.startswith(b"535") else octets)),
    Fault("auth-tells-who-exists", "an unknown user is told", around=_tells_who_exists),
    Fault("auth-runs-commands", "a command ends an exchange, and is run", incoming=_runs_commands),
    Fault("auth-form", "PLAIN of another form lets in", around=_lets_in(_of_another_form)),
)  # fmt: skip
