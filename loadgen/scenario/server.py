"""One server of the target: a URL, a domain whose MX names it, or the embedded reference server."""

from typing import Final, Self

from loadgen.endpoint import MX_SCHEME, SCHEMES, Endpoint, MailDomain, parse_endpoint, parse_mail_domain
from loadgen.scenario.problems import Problem, UnreadableError, near_miss, show
from loadgen.scenario.quantities import JsonSchema, Leaf

EMBEDDED: Final = "embedded"


class ServerUrl(Leaf[Endpoint | MailDomain | None]):
    """Where one protocol's server is."""

    __slots__ = ()
    ALLOWED = f'a URL such as "smtp://127.0.0.1:2525", or "{EMBEDDED}"'

    @property
    def endpoint(self) -> Endpoint | MailDomain | None:
        """Return where to connect to, or whose MX says so; None: the reference server, started for the run."""
        return self._held

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the server that a URL or "embedded" names."""
        if value == EMBEDDED:
            return cls(None)
        if not isinstance(value, str):
            raise UnreadableError.value(value, cls.ALLOWED)
        try:
            if value.partition(":")[0].lower() == MX_SCHEME:
                return cls(parse_mail_domain(value))
            return cls(parse_endpoint(value))
        except ValueError as error:
            sentence = str(error)
            if not sentence.startswith("expected "):
                raise UnreadableError([Problem("", what=f"got {show(value)}: {sentence}")]) from None
            scheme = value.partition(":")[0].lower()
            hint = "" if scheme in SCHEMES else near_miss(scheme, (EMBEDDED, *SCHEMES, MX_SCHEME))
            raise UnreadableError.value(value, sentence.removeprefix("expected "), hint=hint) from None

    def plain(self) -> str:
        """Return the URL, its port spelled out, or "embedded"."""
        return EMBEDDED if self.endpoint is None else str(self.endpoint)

    @classmethod
    def json_schema(cls) -> JsonSchema:
        """Return the schema of a URL, a mail domain or "embedded"."""
        schemes = "|".join(scheme.replace("+", "[+]") for scheme in (*SCHEMES, MX_SCHEME))
        return {
            "type": "string",
            "pattern": rf"^({EMBEDDED}|({schemes}):.+)$",
            "description": "A URL with one of these schemes; mx: and a domain, whose MX records say where; "
            "or embedded for the reference server.",
            "examples": ["smtp://127.0.0.1:2525", "lmtp+unix:///run/dovecot/lmtp", "mx:example.test", EMBEDDED],
        }
