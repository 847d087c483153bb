"""The garbage collector of a process that serves thousands of sessions."""

import gc
from typing import Final

YOUNG: Final = 10_000     # objects made and not freed before a look at them


def seldom_collect() -> None:
    """Have the collector look seldom, and never at what there is already.

    At its defaults it goes over all that the open sessions hold again and again while they come: with 9,600 of them
    it took a quarter of the processor time, and up to 0.3 s at a time in which nobody was answered. A session in clear
    text leaves nothing for it to find.
    """
    gc.collect()
    gc.freeze()
    _, often, seldom = gc.get_threshold()
    gc.set_threshold(YOUNG, often, seldom)
