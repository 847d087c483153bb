"""Part of native.pyx: what the sessions of series did, as columns of whole numbers; instants and times are ns."""


cdef struct Numbers:
    long long *first
    Py_ssize_t count, room


cdef int put(Numbers *numbers, long long number) except -1:
    if numbers.count == numbers.room:
        room = max(16, 2 * numbers.room)
        larger = <long long *> PyMem_Realloc(numbers.first, room * sizeof(long long))
        if larger is NULL:
            raise MemoryError
        numbers.first, numbers.room = larger, room
    numbers.first[numbers.count] = number
    numbers.count += 1
    return 0


cdef bytes taken(Numbers *numbers):
    """Return them as they lie, and none are left."""
    octets = PyBytes_FromStringAndSize(<char *> numbers.first, numbers.count * sizeof(long long))
    numbers.count = 0
    return octets


cdef struct Answer:
    PyObject *ended               # the name of the phase that it ended; None: that goes on
    PyObject *counted             # what it counts as; None: it is none, the connection was made
    long long started, finished   # of the phase


cdef struct Answers:
    Answer *first
    Py_ssize_t count, room


cdef int put_answer(Answers *answers, ended, counted, long long started, long long finished) except -1:
    cdef Answer *answer
    if answers.count == answers.room:
        room = max(8, 2 * answers.room)
        larger = <Answer *> PyMem_Realloc(answers.first, room * sizeof(Answer))
        if larger is NULL:
            raise MemoryError
        answers.first, answers.room = larger, room
    answer = &answers.first[answers.count]
    Py_INCREF(ended)
    Py_INCREF(counted)
    answer.ended, answer.counted = <PyObject *> ended, <PyObject *> counted
    answer.started, answer.finished = started, finished
    answers.count += 1
    return 0


cdef void forget_answers(Answers *answers, Py_ssize_t begin):
    """Forget those from there on."""
    cdef Py_ssize_t at
    for at in range(begin, answers.count):
        Py_DECREF(<object> answers.first[at].ended)
        Py_DECREF(<object> answers.first[at].counted)
    answers.count = min(begin, answers.count)


cdef struct Kind:
    PyObject *reply
    long long count


cdef class Replies:
    """How often each reply came, by what it counts as: one of few objects as a rule, and always the same."""

    cdef Kind kinds[KINDS_MAX]
    cdef Py_ssize_t known
    cdef list others                  # each that came, once there were too many kinds

    def __cinit__(self):
        self.others = []

    def __dealloc__(self):
        cdef Py_ssize_t at
        for at in range(self.known):
            Py_DECREF(<object> self.kinds[at].reply)

    cdef int add(self, PyObject *reply) except -1:
        cdef Py_ssize_t at
        for at in range(self.known):
            if self.kinds[at].reply is reply:
                self.kinds[at].count += 1
                return 0
        if self.known == KINDS_MAX:
            self.others.append(<object> reply)
            return 0
        Py_INCREF(<object> reply)
        self.kinds[self.known].reply, self.kinds[self.known].count = reply, 1
        self.known += 1
        return 0

    cdef list told(self):
        """Return each with how often it came; some may stand there several times."""
        return [(<object> self.kinds[at].reply, self.kinds[at].count) for at in range(self.known)] + [
            (reply, 1) for reply in self.others
        ]


cdef class Times:
    """Of one phase, or of the sessions of one name: service times of those in the steady phase, and the others.

    What is due at an instant has response times too, and those are what is kept of the others.
    """

    cdef Numbers service, response, outside

    def __dealloc__(self):
        PyMem_Free(self.service.first)
        PyMem_Free(self.response.first)
        PyMem_Free(self.outside.first)

    cdef int add(self, long long service, long long lag, bint due, bint steady) except -1:
        """Add one; `lag` is how late its session began."""
        if not steady:
            return put(&self.outside, service + lag if due else service)
        if due:
            put(&self.response, service + lag)
        return put(&self.service, service)


cdef class Tally:
    """What sessions of series did that went as hoped."""

    cdef dict phases, sessions        # name -> Times
    cdef Replies replies
    cdef Numbers instants, taken      # of each session: due, started, finished, the next one started (-1: none did); of what was taken
    cdef Numbers lags                 # of the sessions due in the steady phase
    cdef object taken_by              # the phase at whose end a message is
    cdef long long steady_from, steady_until
    cdef object full                  # is called when
    cdef long long full_at            # so many phases wait to be taken; 0: nobody is
    cdef long long timed, messages, messages_done, sent_done, received_done
    cdef readonly long long under_way     # messages taken in sessions that are not over

    def __cinit__(self):
        self.phases, self.sessions, self.replies = {}, {}, Replies()

    def __dealloc__(self):
        PyMem_Free(self.instants.first)
        PyMem_Free(self.taken.first)
        PyMem_Free(self.lags.first)

    def __len__(self):
        """Count the phases that were timed."""
        return self.timed

    def begin(self, str taken_by, long long steady_from, long long steady_until):
        """Say at the end of which phase a message is taken, and what is steady from now on: ns of trio's clock."""
        self.taken_by, self.steady_from, self.steady_until = taken_by, steady_from, steady_until

    def tell_when_full(self, long long phases, told):
        """Call `told` whenever a session has been tallied and so many phases or more wait to be taken."""
        self.full_at, self.full = phases, told

    def take(self):
        """Return all that was tallied, and begin anew. Numbers are octets as they lie, 64 bits each.

        First the times of the phases, and of the sessions by name, each as (name, service and response times of steady
        ones, response times of others): a session is steady that was due so, and what is not due at an instant has no
        response times but its service times. Then how late the steady ones began; the instants, four of each session: when it
        was due, started, and had finished, and the next one started (-1: none did); when messages were taken; what
        replies count as, each with how often it came; how many messages were offered; and of the sessions that finished
        in the steady phase, messages offered, octets sent and received.
        """
        told = (
            times_in(self.phases), times_in(self.sessions), taken(&self.lags), taken(&self.instants),
            taken(&self.taken), self.replies.told(), self.messages,
            (self.messages_done, self.sent_done, self.received_done),
        )
        self.replies = Replies()
        self.timed = self.messages = self.messages_done = self.sent_done = self.received_done = 0
        return told

    cdef int add(
        self, name, Answers *answers, long long *session, long long messages, long long sent, long long received
    ) except -1:
        """Add a session that was due, started, had finished and was followed, if it was, at the instants of `session`.

        Its first phase is due when it is.
        """
        cdef bint steady = self.holds(session[0])
        cdef long long lag = session[1] - session[0]
        cdef Py_ssize_t at
        self.add_answers(answers, 0, lag, steady)
        times_of(self.sessions, name).add(session[2] - session[1], lag, True, steady)
        if steady:
            put(&self.lags, lag)
        for at in range(4):
            put(&self.instants, session[at])
        self.messages += messages
        if self.holds(session[2]):
            self.messages_done += messages
            self.sent_done += sent
            self.received_done += received
        return 0

    cdef int tell_if_full(self) except -1:
        if 0 < self.full_at <= self.timed:
            self.full()
        return 0

    cdef int add_leg(self, Answers *answers, Py_ssize_t begin, long long due) except -1:
        """Add a leg of a session that was due at this instant: the answers from there on."""
        return self.add_answers(answers, begin, 0, self.holds(due))

    cdef int add_answers(self, Answers *answers, Py_ssize_t begin, long long lag, bint steady) except -1:
        cdef Answer *answer
        cdef Py_ssize_t at
        for at in range(begin, answers.count):
            answer = &answers.first[at]
            if <object> answer.counted is not None:
                self.replies.add(answer.counted)
            if <object> answer.ended is not None:
                times_of(self.phases, <object> answer.ended).add(answer.finished - answer.started, lag, at == 0, steady)
                self.timed += 1
                if <object> answer.ended is self.taken_by:
                    put(&self.taken, answer.finished)
        return 0

    cdef bint holds(self, long long instant):
        return self.steady_from <= instant < self.steady_until


cdef Times times_of(dict known, name):
    cdef PyObject *found = PyDict_GetItem(known, name)
    if found is not NULL:
        return <Times> found
    times = known[name] = Times()
    return times


cdef list times_in(dict known):
    return [
        (name, taken(&(<Times> times).service), taken(&(<Times> times).response), taken(&(<Times> times).outside))
        for name, times in known.items()
    ]
