"""Part of native.pyx: what the sessions of series did."""

cdef class Tally:
    """What sessions did that went as hoped and were followed by another, as columns. Instants are s of trio's clock."""

    cdef list names, phases, replies
    cdef Array sessions, timings

    def __init__(self):
        self.take()

    def __len__(self):
        return len(self.phases)

    def take(self):
        """Return all that was tallied, and begin anew: names, sessions, phases, timings, replies.

        `names` has what each session is called, and `sessions` TALLIED numbers of each: when it started and had
        finished, when the one after it started, how many phases it timed, its messages, the octets sent and received.
        `phases` has the names of what was timed, `timings` when each started and had finished, and `replies` what
        each answer counts as; each session's follow those of the one before.
        """
        taken = (self.names, self.sessions, self.phases, self.timings, self.replies) if self.names is not None else ()
        self.names, self.phases, self.replies = [], [], []
        self.sessions, self.timings = array("d"), array("d")
        return taken


cdef int put(Array numbers, double number) except -1:
    cdef Py_ssize_t length = len(numbers)
    resize_smart(numbers, length + 1)
    numbers.data.as_doubles[length] = number
    return 0
