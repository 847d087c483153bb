"""How a server stands while a load goes on, and what must not be held against it for that.

A server that has much to do may take its time, say 4yz, or turn a client away. None of it breaks anything, and a case
that was written for an idle server may take it for something else.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import trio

from conformance.judgement import Did, Judgement, undetermined
from conformance.transcript import Speaker, Transcript

RECENT_S: Final = 10.0               # what a silence is measured by lies no longer back
SLOWER: Final = 3                    # so much longer than any answer must a silence be, to be one
_ACCUSES: Final = {Did.VIOLATED, Did.DIVERGED, Did.WEAKENED}
_SAYS_LATER: Final = re.compile(r"\b4[0-5][0-9]\b[ -]|\[(?:SYS|IN-USE|LOGIN-DELAY)\b", re.IGNORECASE)
_NAMES_A_TIME: Final = re.compile(r"\b(?:after|for|in) ([0-9.]+(?:e[-+]?[0-9]+)?) s\b")
_MISSES_MAIL: Final = re.compile(r"\bdid not (?:arrive|come)\b|\bnothing (?:arrived|came)\b")


@dataclass(slots=True)
class Pressure:
    """How long the server takes to answer plain commands, all through a load."""

    waits: deque[tuple[float, float]] = field(default_factory=deque)     # (when the answer came, how long it took)
    asked_s: float | None = None         # since when an answer is waited for just now
    turned_away: int = 0                 # sessions that could not be had

    def heard(self, waited_s: float) -> None:
        """Note one answer."""
        self.waits.append((trio.current_time(), waited_s))

    @property
    def median_s(self) -> float:
        """Return the median of the recent answers; 0 if there were none."""
        recent = self._since(trio.current_time() - RECENT_S)
        return median(recent) if recent else 0.0

    @property
    def recent_slowest_s(self) -> float:
        """Return the longest of the recent answers, the one that is waited for among them."""
        return self.slowest_since(trio.current_time() - RECENT_S)

    def slowest_since(self, began_s: float) -> float:
        """Return the longest answer that has come, or is waited for, since an instant."""
        waiting_s = 0.0 if self.asked_s is None else trio.current_time() - self.asked_s
        return max(waiting_s, *self._since(began_s), 0.0)

    def of_all(self) -> list[float]:
        """Return every answer's wait."""
        return [waited_s for _, waited_s in self.waits]

    def _since(self, began_s: float) -> list[float]:
        found = []
        for at_s, waited_s in reversed(self.waits):
            if at_s < began_s:
                break
            found.append(waited_s)
        return found


def unless_only_pressed(
    judgement: Judgement, transcripts: Sequence[Transcript], pressure: Pressure, began_s: float
) -> Judgement:
    """Return the judgement of a case that began then; undetermined if a busy server's lawful ways may be all it holds.

    A silence counts if it was so much longer than any answer the server gave meanwhile, to this case or another
    client, that it cannot be slowness.
    """
    if judgement.did not in _ACCUSES:
        return judgement
    why = _excuse(judgement, transcripts, pressure, began_s)
    return judgement if why is None else undetermined(f"{judgement.got} ({why})", judgement.expected)


def _excuse(
    judgement: Judgement, transcripts: Sequence[Transcript], pressure: Pressure, began_s: float
) -> str | None:
    if _SAYS_LATER.search(judgement.got):
        return "a busy server may put a client off"
    if any(transcript.mail_missed for transcript in transcripts) or _MISSES_MAIL.search(judgement.got):
        return "mail may take longer under a load"
    if any(map(_was_refused, transcripts)):
        return "a busy server may refuse a connection"
    silences = [silence_s for transcript in transcripts for silence_s in transcript.silences]
    silences += [float(seconds) for seconds in _NAMES_A_TIME.findall(judgement.got)]
    waits = [waited_s for transcript in transcripts for waited_s in transcript.waits]
    slowest_s = max([pressure.slowest_since(began_s), *waits])
    if silences and min(silences) < SLOWER * slowest_s:
        return f"the server took up to {slowest_s:.2g} s to answer meanwhile"
    return None


def _was_refused(transcript: Transcript) -> bool:
    """Say whether a session ended before the server had said a word."""
    ended = any(turn.speaker is Speaker.NOTE and turn.octets.startswith(b"the server ") for turn in transcript.turns)
    return ended and not any(turn.speaker is Speaker.SERVER for turn in transcript.turns)
