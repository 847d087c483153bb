"""The collector of the reference server's process looks seldom, and still finds what it must."""

import gc
import weakref

from conformance.refserver.collector import YOUNG, seldom_collect


class Circle:
    def __init__(self) -> None:
        self.itself = self


def test_there_are_fewer_rounds_and_they_still_find_circles() -> None:
    before, rounds = gc.get_threshold(), 0

    def note(phase: str, info: dict[str, int]) -> None:
        nonlocal rounds
        rounds += phase == "start"

    gc.callbacks.append(note)
    try:
        seldom_collect()
        rounds = 0
        circle = weakref.ref(Circle())
        held = [[object()] for _ in range(YOUNG // 2)]
        assert rounds == 0
        held += [[object()] for _ in range(YOUNG)]
        assert rounds > 0
        assert circle() is None
    finally:
        gc.callbacks.remove(note)
        gc.set_threshold(*before)
        gc.unfreeze()
