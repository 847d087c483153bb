"""A server may say 421 and leave, whatever it was asked (RFC 5321 §3.8): that no answer follows breaks nothing."""

import re
from collections.abc import Iterable
from typing import Final

from conformance.judgement import Did, Judgement, undetermined
from conformance.transcript import Speaker, Transcript

_ACCUSES: Final = {Did.VIOLATED, Did.DIVERGED, Did.WEAKENED}
_SAID: Final = re.compile(rb"(?:^|\n)421[ \r-]")
# What a judgement got, in an Answer's words, where the farewell or the end itself is held against the server.
_IS_THE_END: Final = re.compile(r"\b421\b|(?:closed|reset) the connection")

_WAS_MAIL: Final = re.compile(r"\b(?:arrived|stored|delivered)\b")      # mail that ought not to be there is no farewell


def unless_cut_short(judgement: Judgement, transcripts: Iterable[Transcript]) -> Judgement:
    """Return the judgement, undetermined if all it holds against the server is that it said 421 and was gone.

    What a server did before that, a message taken twice or a command obeyed that was none, still counts.
    """
    if judgement.did not in _ACCUSES or not _IS_THE_END.search(judgement.got) or _WAS_MAIL.search(judgement.got):
        return judgement
    if not any(_says_421(transcript) for transcript in transcripts):
        return judgement
    return undetermined(f"{judgement.got} (a server may say 421 at any time)", judgement.expected)


def _says_421(transcript: Transcript) -> bool:
    heard = b"".join(turn.octets for turn in transcript.turns if turn.speaker is Speaker.SERVER)
    return _SAID.search(heard) is not None
