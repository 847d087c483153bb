"""What `mailing.pyx` has for Python."""

from collections.abc import Callable, Iterator, Sequence
from typing import final

from loadgen.message.pool import TextPool
from loadgen.scenario.content import PlainKind
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.correspondence import Asked, Asking, Writer
from loadgen.transport.conversation import Round, Stage

@final
class Text:
    def __init__(self, pool: TextPool) -> None: ...

@final
class Mailing:
    def __init__(
        self, text: Text, joined: tuple[bytes, ...], envelope: Callable[[int], Round | None], body: Stage
    ) -> None: ...

@final
class Mailings:
    def __init__(
        self,
        run_token: str,
        mailing: Callable[[tuple[str, ...], PlainKind], Mailing],
        otherwise: Callable[[int, MessagePlan], Round | None],
    ) -> None: ...
    def asked(self, arrival: int, messages: Sequence[MessagePlan]) -> Asked: ...

def rounds(
    series: Writer, plan: DeliveryPlan, asking: Callable[[bytes, str], Asking], opening: Round, closing: Round
) -> Iterator[Round]: ...
