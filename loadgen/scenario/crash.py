"""When the server is to be crashed during the load, and what is expected then. How: only the command line says."""

import re
from fractions import Fraction
from typing import Annotated, Final, Self

from loadgen.scenario.problems import UnreadableError
from loadgen.scenario.quantities import Duration, JsonSchema, Leaf
from loadgen.scenario.table import Table, default, says

_SHARE: Final = r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%"
CRASHES_MAX: Final = 1000


class CrashAt(Leaf[Fraction | Duration]):
    """An instant of the load: so far after its start, or a share of its length ("50%")."""

    __slots__ = ()
    ALLOWED = 'a share of the load such as "50%", or a duration such as "30s"'

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the instant that a share or a duration names."""
        share = re.fullmatch(_SHARE, value) if isinstance(value, str) else None
        try:
            held = Fraction(share[1]) / 100 if share is not None else Duration.parse(value)
        except UnreadableError:
            raise UnreadableError.value(value, cls.ALLOWED) from None
        if isinstance(held, Fraction) and not 0 < held < 1:
            raise UnreadableError.value(value, "a share above 0 % and below 100 %")
        return cls(held)

    @property
    def is_share(self) -> bool:
        """Say whether the load's length must be known to tell the instant."""
        return isinstance(self._held, Fraction)

    def ns(self, load_ns: int | None) -> int:
        """Return the instant in a load of this length; None: not known, and so no share of it either."""
        if isinstance(self._held, Duration):
            return self._held.ns
        assert load_ns is not None, "the check refuses a share of what has no length"
        return int(self._held * load_ns)

    def plain(self) -> str:
        """Return the share or the duration as text."""
        return str(self._held) if isinstance(self._held, Duration) else f"{float(100 * self._held):g}%"

    @classmethod
    def json_schema(cls) -> JsonSchema:
        """Return the schema of a share or a duration."""
        return {
            "description": "An instant of the load: a share of its length, or so long after its start.",
            "anyOf": [{"type": "string", "pattern": f"^{_SHARE}$"}, {"$ref": "#/$defs/Duration"}],
            "examples": ["50%", "30s"],
        }


class Crash(Table, frozen=True, kw_only=True):
    """The server is killed and started again amid the load: by --crash COMMAND, or by us if it is the embedded one.

    Each message it answered 250 is then looked for. A scenario never says which command: it is data, not code.
    """

    at: Annotated[CrashAt, says("When: a share of the load, or so long after its start.")] = default(CrashAt, "50%")
    every: Annotated[Duration | None, says("Again so long after each time, until the load ends.")] = None
    recover_within: Annotated[
        Duration, says("From the first refused connection to the first session accepted again; longer is a failure.")
    ] = default(Duration, "60s")
    limit: Annotated[Duration, says("How long the command may take.")] = default(Duration, "60s")

    def instants_ns(self, load_ns: int | None) -> tuple[int, ...]:
        """Return when to crash it in a load of this length (ns from its start); None: the length is not known."""
        first_ns = self.at.ns(load_ns)
        if self.every is None or load_ns is None:
            return (first_ns,)
        return tuple(range(first_ns, load_ns, self.every.ns))
