"""Part of native.pyx: what the sessions of series did, as columns."""


cdef struct Numbers:
    double *first
    Py_ssize_t count, room


cdef int put(Numbers *numbers, double number) except -1:
    if numbers.count == numbers.room:
        make_room(numbers, 1)
    numbers.first[numbers.count] = number
    numbers.count += 1
    return 0


cdef int put_all(Numbers *numbers, Numbers *others) except -1:
    make_room(numbers, others.count)
    memcpy(numbers.first + numbers.count, others.first, others.count * sizeof(double))
    numbers.count += others.count
    return 0


cdef int make_room(Numbers *numbers, Py_ssize_t more) except -1:
    cdef Py_ssize_t room = max(16, numbers.room)
    while room < numbers.count + more:
        room *= 2
    if room > numbers.room:
        larger = <double *> PyMem_Realloc(numbers.first, room * sizeof(double))
        if larger is NULL:
            raise MemoryError
        numbers.first, numbers.room = larger, room
    return 0


cdef bytes taken(Numbers *numbers):
    """Return them as they lie, and none are left."""
    octets = PyBytes_FromStringAndSize(<char *> numbers.first, numbers.count * sizeof(double))
    numbers.count = 0
    return octets


cdef class Tally:
    """What sessions did that went as hoped and were followed by another."""

    cdef list names, phases, replies
    cdef Numbers sessions, timings

    def __cinit__(self):
        self.names, self.phases, self.replies = [], [], []

    def __dealloc__(self):
        PyMem_Free(self.sessions.first)
        PyMem_Free(self.timings.first)

    def __len__(self):
        return len(self.phases)

    def take(self):
        """Return all that was tallied, and begin anew: names, sessions, phases, timings, replies.

        `names` has what each session is called, and `sessions` seven numbers of each, doubles as they lie: when it
        started and had finished, when the one after it started, how many phases it timed, its messages, the octets
        sent and received. `phases` has the names of what was timed, `timings` when each started and had finished, and
        `replies` what each answer counts as; one session's follow those of the other. Instants are s of trio's clock.
        """
        names, phases, replies = self.names, self.phases, self.replies
        self.names, self.phases, self.replies = [], [], []
        return names, taken(&self.sessions), phases, taken(&self.timings), replies
