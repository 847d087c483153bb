"""One server of the target: a URL, or the embedded reference server."""

from typing import Final, Self

from loadgen.endpoint import SCHEMES, Endpoint, parse_endpoint
from loadgen.scenario.problems import Problem, UnreadableError, near_miss, show
from loadgen.scenario.quantities import JsonSchema, Leaf

EMBEDDED: Final = "embedded"


class ServerUrl(Leaf[Endpoint | None]):
    """Where one protocol's server is."""

    __slots__ = ()
    ALLOWED = f'a URL such as "smtp://127.0.0.1:2525", or "{EMBEDDED}"'

    @property
    def endpoint(self) -> Endpoint | None:
        """Return where to connect to; None stands for the reference server, started for the run."""
        return self._held

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the server that a URL or "embedded" names."""
        if value == EMBEDDED:
            return cls(None)
        if not isinstance(value, str):
            raise UnreadableError.value(value, cls.ALLOWED)
        try:
            return cls(parse_endpoint(value))
        except ValueError as error:
            sentence = str(error)
            if not sentence.startswith("expected "):
                raise UnreadableError([Problem("", what=f"got {show(value)}: {sentence}")]) from None
            hint = near_miss(value.partition(":")[0], (EMBEDDED, *SCHEMES))
            raise UnreadableError.value(value, sentence.removeprefix("expected "), hint=hint) from None

    def plain(self) -> str:
        """Return the URL, its port spelled out, or "embedded"."""
        return EMBEDDED if self.endpoint is None else str(self.endpoint)

    @classmethod
    def json_schema(cls) -> JsonSchema:
        """Return the schema of a URL or "embedded"."""
        return {
            "type": "string",
            "pattern": rf"^({EMBEDDED}|({'|'.join(scheme.replace('+', '[+]') for scheme in SCHEMES)}):.+)$",
            "description": "A URL with one of these schemes, or embedded for the reference server.",
            "examples": ["smtp://127.0.0.1:2525", "lmtp+unix:///run/dovecot/lmtp", EMBEDDED],
        }
