"""The server said no: how a session leaves its script for the farewell."""

from loadgen.session.outcome import Outcome, OutcomeKind


class Refused(Exception):
    """The server answered 4yz, 5yz or -ERR where the session cannot go on. Never leaves `loadgen.session`."""

    def __init__(self, phase: str, answer: str) -> None:
        super().__init__(f"{phase} was answered {answer}")
        self.outcome = Outcome(OutcomeKind.REFUSED, phase, f"the server answered {answer}")
