"""How often each reply came."""

from collections import Counter
from collections.abc import Iterable, Sequence

from reports.load_result import OTHER_CODES

DISTINCT_REPLIES_MAX = 2_000      # a hostile server has a million enhanced codes, and POP3's are free text
Reply = tuple[str, str, str | None]      # a phase, a code, an enhanced status code


class ReplyTable(Counter[Reply]):
    """By phase, code and enhanced status code; once there are too many of these, of new ones only the code."""

    def count(self, replies: Sequence[Reply]) -> None:
        """Count replies."""
        if len(self) + len(replies) <= DISTINCT_REPLIES_MAX:
            self.update(replies)
            return
        self.add(Counter(replies).items())        # a batch holds thousands, of few kinds as a rule

    def add(self, counted: Iterable[tuple[Reply, int]]) -> None:
        """Count replies, each of which came so often."""
        for (phase, code, enhanced), times in counted:
            known = len(self) < DISTINCT_REPLIES_MAX or (phase, code, enhanced) in self
            self[phase, code, enhanced if known else OTHER_CODES] += times
