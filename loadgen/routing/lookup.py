"""Ask nameservers one question, and say in one sentence why there is no answer.

Every exception of dnspython becomes a `Trouble` here and nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.resolver
import trio
from dns.rdata import Rdata
from dns.rdatatype import RdataType

from loadgen.endpoint import Nameserver
from reports.errors import PreconditionFailed, UserError

CHAIN_MAX: Final = 16           # aliases one name may lead through; dnspython allows as many in one response
ATTEMPT_LIMIT_S: Final = 2.0    # one query to one nameserver, then the next is asked
ASK_LIMIT_S: Final = 10.0       # one question, with every repetition, nameserver and alias
AT_ONCE: Final = 16             # questions under way

Question = tuple[str, RdataType]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the nameservers say of one name and type."""

    exists: bool                     # False: NXDOMAIN
    records: tuple[Rdata, ...]       # in the order of the response; none: the name has none of this type
    aliases: tuple[str, ...] = ()    # where CNAMEs led, one after the other; the records are the last one's


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something about a name could not be learnt; `temporary`: asking again later may help."""

    sentence: str
    temporary: bool

    def error(self) -> UserError:
        """Return the error that ends a run for this: inconclusive if it may pass, else the operator's to mend."""
        return PreconditionFailed(self.sentence) if self.temporary else UserError(self.sentence)


class Resolver:
    """Asks the given nameservers, or the system's. Nothing is cached: what is asked is asked once."""

    def __init__(self, nameservers: Sequence[Nameserver] = ()) -> None:
        """Choose whom to ask; raise UserError if no nameserver is given and this machine names none."""
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=not nameservers)
        except dns.resolver.NoResolverConfiguration:
            raise UserError("this machine's resolver configuration names no nameserver; name one") from None
        if nameservers:
            self._resolver.nameservers = [
                dns.nameserver.Do53Nameserver(each.address, each.port) for each in nameservers
            ]
        self._resolver.timeout = ATTEMPT_LIMIT_S
        # dnspython measures this one on the wall clock; a cancel scope, on the run's one clock, ends it earlier.
        self._resolver.lifetime = 10 * ASK_LIMIT_S
        self._backend = dns.asyncbackend.get_backend("trio")
        self._slots = trio.CapacityLimiter(AT_ONCE)

    async def ask_all(self, questions: Iterable[Question]) -> Mapping[Question, Answer | Trouble]:
        """Ask several questions at once, each only once."""
        answers: dict[Question, Answer | Trouble] = {}

        async def ask_one(question: Question) -> None:
            async with self._slots:
                answers[question] = await self.ask(*question)

        async with trio.open_nursery() as asking:
            for question in dict.fromkeys(questions):
                asking.start_soon(ask_one, question)
        return answers

    async def ask(self, name: str, kind: RdataType) -> Answer | Trouble:
        """Return what is known of a name, its aliases followed (RFC 1035 §3.6.2), or why nothing is."""
        try:
            with trio.move_on_after(ASK_LIMIT_S):
                return await self._follow(dns.name.from_text(name), kind)
        except dns.resolver.NoNameservers as error:
            return _unanswered(error, name, kind)
        except dns.exception.DNSException as error:   # a name too long, once _25._tcp stands before it, or a DNAME
            return Trouble(f"{name} cannot be asked for: {error}", temporary=False)
        return Trouble(f"no nameserver said within {ASK_LIMIT_S:g} s which {kind.name} records {name} has", True)

    async def _follow(self, name: dns.name.Name, kind: RdataType) -> Answer | Trouble:
        passed = [name]
        while True:
            exists = True
            try:
                found = await self._resolver.resolve(
                    passed[-1], kind, raise_on_no_answer=False, search=False, backend=self._backend
                )
                response = found.response
            except dns.resolver.NXDOMAIN as error:
                exists, response = False, error.kwargs["responses"][passed[-1]]
            # A response holds the whole chain, or only its beginning where the server does not recurse.
            chain = response.resolve_chaining()
            passed += [alias[0].target for alias in chain.cnames]
            if len(set(passed)) < len(passed) or len(passed) > CHAIN_MAX + 1:
                return _endless(_text(name))
            if chain.answer is not None or not chain.cnames or not exists:
                return Answer(exists, tuple(chain.answer or ()), tuple(map(_text, passed[1:])))


def _unanswered(error: dns.resolver.NoNameservers, name: str, kind: RdataType) -> Trouble:
    reasons: dict[str, None] = {}
    for _, _, _, reason, _ in error.kwargs["errors"]:
        if isinstance(reason, dns.message.ChainTooLong):
            return _endless(name)
        reasons[reason if isinstance(reason, str) else f"an unusable answer, {type(reason).__name__}"] = None
    got = "; ".join(reasons)
    return Trouble(f"no nameserver could say which {kind.name} records {name} has (got {got})", temporary=True)


def _endless(name: str) -> Trouble:
    sentence = f"the aliases of {name} lead round in a circle, or through more than {CHAIN_MAX} names"
    return Trouble(sentence, temporary=False)


def _text(name: dns.name.Name) -> str:
    """Return a name as a person writes it; octets that do not print are escaped."""
    return name.to_text(omit_final_dot=True).lower()
