# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What is asked for each message of deliveries in series, put together without the interpreter.

Here are messages to one recipient that are nothing but text without a digest: those of most loads. What they are is
said by `Composer.compose` and `plain_envelope`, for these and all others; here it is the same, octet for octet.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItem
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport PyObject
from libc.string cimport memcpy, memset

from loadgen.message import compose, header, pool
from loadgen.scenario.content import Plain
from loadgen.schedule.plans import Alike
from loadgen.session.plain_delivery import legs_of
from loadgen.session.smtp_dialogue import BLOCK_OCTETS
from loadgen.transport.conversation import LEG

cdef enum:
    DIGITS_MAX = 20
    TOKEN_MAX = 64            # octets

cdef object plain = Plain, alike = Alike
cdef Py_ssize_t block_octets = BLOCK_OCTETS, joined_max = compose.JOINED_MAX_OCTETS, letters_max = compose.LETTERS_MAX
cdef Py_ssize_t beginnings = pool.BEGINNINGS, line_octets = pool.LINE_OCTETS, shortest_line = pool.SHORTEST_LINE
cdef Py_ssize_t cycle = pool.CYCLE, cycle_octets = pool.CYCLE_OCTETS
cdef char fill = pool.FILL[0]
cdef bytes line_end = header.LINE_END, end_of_mail_data = pool.END_OF_MAIL_DATA
# Of mail data, with so much fill in the last line.
cdef list ends = [pool.FILL * filled + line_end + end_of_mail_data for filled in range(line_octets)]


cdef inline char *put(char *to, const char *octets, Py_ssize_t count):
    memcpy(to, octets, count)
    return to + count


cdef inline char *put_bytes(char *to, bytes octets):
    return put(to, PyBytes_AS_STRING(octets), PyBytes_GET_SIZE(octets))


cdef inline char *put_fill(char *to, Py_ssize_t count):
    memset(to, fill, count)
    return to + count


cdef char *put_number(char *to, long long number):
    """Put a number that is not negative, in decimal."""
    cdef char digits[DIGITS_MAX]
    cdef Py_ssize_t at = DIGITS_MAX
    while True:
        at -= 1
        digits[at] = <char> (c'0' + number % 10)
        number //= 10
        if number == 0:
            return put(to, digits + at, DIGITS_MAX - at)


cdef long long *numbers(starts) except NULL:
    cdef long long *kept = <long long *> PyMem_Malloc(len(starts) * sizeof(long long))
    cdef Py_ssize_t at
    if kept is NULL:
        raise MemoryError
    for at, start in enumerate(starts):
        kept[at] = start
    return kept


cdef struct Cut:
    Py_ssize_t start, lines_octets    # whole lines
    Py_ssize_t filled                 # of one more line, made for it
    Py_ssize_t octets                 # of all of it, on the wire


cdef class Text:
    """Text of any length as it is sent, cut from lines that are stuffed already: those of a `TextPool`."""

    cdef bytes octets                 # of the lines, as often as they stand in their block,
    cdef object view                  # and to be cut from without copying
    cdef long long *counted           # where each line begins before stuffing, as messages are measured,
    cdef long long *stuffed           # and after it

    def __cinit__(self, pool):
        self.view = pool.on_the_wire.octets
        self.octets = self.view.obj
        self.counted = numbers(pool.lines.starts)
        self.stuffed = numbers(pool.on_the_wire.starts)

    def __dealloc__(self):
        PyMem_Free(self.counted)
        PyMem_Free(self.stuffed)

    cdef Cut cut(self, Py_ssize_t begin, Py_ssize_t octets):
        """Return where a text is cut that begins with a line and is shorter than the block of them.

        As `loadgen.message.pool` has it.
        """
        cdef Cut cut
        cdef Py_ssize_t at = self.counted[begin] + octets - shortest_line
        cdef Py_ssize_t left = at % cycle_octets
        if octets == 0:
            cut.start = cut.lines_octets = cut.filled = cut.octets = 0
            return cut
        cut.start = self.stuffed[begin]
        cut.lines_octets = self.stuffed[cycle * (at // cycle_octets) + left // line_octets] - cut.start
        cut.filled = left % line_octets
        cut.octets = cut.lines_octets + cut.filled + shortest_line
        return cut

    cdef tuple pieces(self, bytes before, Cut cut):
        """Return the mail data that is `before` and then this text, to be sent from where it lies."""
        if cut.octets == 0:
            return before, end_of_mail_data
        return before, self.view[cut.start : cut.start + cut.lines_octets], <bytes> ends[cut.filled]

    cdef char *put(self, char *to, Cut cut):
        if cut.octets == 0:
            return to
        to = put(to, PyBytes_AS_STRING(self.octets) + cut.start, cut.lines_octets)
        return put_bytes(put_fill(to, cut.filled), line_end)


cdef class Mailing:
    """Messages that differ in nothing but their size and our id, and what is asked before their mail data.

    `joined` are the octets before the text, with our id between them; `envelope` returns the questions before mail data
    of so many octets, None if it is no plain course; `body` is the stage of the mail data.
    """

    cdef Text text
    cdef tuple joined
    cdef object envelope, body
    cdef Py_ssize_t ids               # so many times it stands there
    cdef Py_ssize_t octets            # of all but ids and text
    cdef Py_ssize_t size              # of the message that was asked for last,
    cdef tuple questions              # and what was asked before its mail data

    def __init__(self, Text text, tuple joined, envelope, body):
        self.text, self.joined, self.envelope, self.body = text, joined, envelope, body
        self.ids = len(joined) - 1
        self.octets = sum(map(len, joined))
        self.size = -1

    cdef object asked(self, const char *our_id, Py_ssize_t id_octets, Py_ssize_t begin, Py_ssize_t size):
        """Return the questions of a message whose text begins with that line; None: it is no plain course."""
        cdef Py_ssize_t before = self.octets + self.ids * id_octets, octets = size, left = size - before, filled = 0
        cdef Py_ssize_t whole
        cdef Cut cut
        cdef char *to
        if left < shortest_line:                        # too little for a line of its own
            filled, octets, left = max(left, 0), max(before, size), 0
        if octets > block_octets:
            return None
        if octets != self.size:
            self.size, self.questions = octets, self.envelope(octets)
        cut = self.text.cut(begin, left)
        whole = before + filled + cut.octets + PyBytes_GET_SIZE(end_of_mail_data)
        if self.questions is None or whole > block_octets:
            return None
        if octets > joined_max:
            said = PyBytes_FromStringAndSize(NULL, before + filled)
            self.put_head(PyBytes_AS_STRING(said), our_id, id_octets, filled)
            said = self.text.pieces(said, cut)
        else:
            said = PyBytes_FromStringAndSize(NULL, whole)
            to = self.put_head(PyBytes_AS_STRING(said), our_id, id_octets, filled)
            put_bytes(self.text.put(to, cut), end_of_mail_data)
        return self.questions + ((self.body, said),)

    cdef char *put_head(self, char *to, const char *our_id, Py_ssize_t id_octets, Py_ssize_t filled):
        """Put all before the text; what is short of a line is filled before its end."""
        cdef Py_ssize_t at
        for at in range(self.ids):
            to = put(put_bytes(to, <bytes> self.joined[at]), our_id, id_octets)
        return put_bytes(put_fill(to, filled), <bytes> self.joined[self.ids])


cdef class Mailings:
    """Messages from one reverse-path to a server whose answer to EHLO is known.

    Our ids begin with `run_token`. `mailing` returns that to a recipient, of text of some kind.
    `otherwise` returns the questions of any message, in the arrival of that number, or None if it is no plain course.
    """

    cdef dict known                   # the kind of text -> recipients -> Mailing
    cdef Py_ssize_t count
    cdef object mailing, otherwise
    cdef bytes token

    def __init__(self, str run_token, mailing, otherwise):
        self.known = {}
        self.token = run_token.encode("ascii") + b"."
        assert len(self.token) < TOKEN_MAX
        self.mailing, self.otherwise = mailing, otherwise

    def asked(self, long long arrival, messages):
        """Return the questions of each of an arrival's messages, up to the first that is no plain course."""
        if type(messages) is alike and type(messages.body) is plain:
            return AskedAlike(self, arrival, messages)
        return Asked(self, arrival, messages)

    cdef dict of_kind(self, kind):
        cdef PyObject *found = PyDict_GetItem(self.known, kind)
        if found is NULL:
            self.known[kind] = {}
            return self.known[kind]
        return <dict> found

    cdef Mailing to(self, dict known, recipients, kind):
        """Return messages to recipients; None: they are none of these."""
        cdef PyObject *found = PyDict_GetItem(known, recipients)
        if found is not NULL:
            return <Mailing> found
        if len(recipients) > 1 or self.count == letters_max:
            return None
        self.count += 1
        known[recipients] = self.mailing(recipients, kind)
        return known[recipients]

    cdef object one(self, Mailing mailing, long long arrival, long long index, Py_ssize_t size_octets):
        cdef char our_id[TOKEN_MAX + 2 * DIGITS_MAX]
        cdef char *to = put_number(put_bytes(our_id, self.token), arrival)
        to[0] = c'.'
        to = put_number(to + 1, index)
        return mailing.asked(our_id, to - our_id, (31 * arrival + 7 * index) % beginnings, size_octets)


cdef class Asked:
    """The questions (a Round) of each of some messages, up to the first that is no plain course."""

    cdef Mailings mailings
    cdef object messages              # an iterator of what was planned
    cdef long long arrival
    cdef readonly Py_ssize_t count    # of messages that were asked for

    def __init__(self, Mailings mailings, arrival, messages):
        self.mailings, self.arrival, self.messages = mailings, arrival, iter(messages)

    def __iter__(self):
        return self

    def __next__(self):
        cdef Mailing mailing = None
        planned = next(self.messages)
        body = planned.body
        if type(body) is plain:
            mailing = self.mailings.to(self.mailings.of_kind(body.kind), planned.recipients, body.kind)
        if mailing is None:
            questions = self.mailings.otherwise(self.arrival, planned)
        else:
            questions = self.mailings.one(mailing, self.arrival, planned.index, planned.size_octets)
        if questions is None:
            raise StopIteration
        self.count += 1
        return questions


cdef class AskedAlike:
    """Those of messages that differ in nothing but whom they are for: no plan of each is made."""

    cdef Mailings mailings
    cdef object messages, kind, recipients
    cdef dict known
    cdef long long arrival, first
    cdef Py_ssize_t size_octets, length
    cdef readonly Py_ssize_t count

    def __init__(self, Mailings mailings, arrival, messages):
        self.mailings, self.arrival, self.messages, self.kind = mailings, arrival, messages, messages.body.kind
        self.known = mailings.of_kind(self.kind)
        self.recipients, self.first, self.size_octets = messages.recipients, messages.first, messages.size_octets
        self.length = len(self.recipients)

    def __iter__(self):
        return self

    def __next__(self):
        if self.count == self.length:
            raise StopIteration
        cdef Mailing mailing = self.mailings.to(self.known, self.recipients[self.count], self.kind)
        if mailing is None:
            questions = self.mailings.otherwise(self.arrival, self.messages[self.count])
        else:
            questions = self.mailings.one(mailing, self.arrival, self.first + self.count, self.size_octets)
        if questions is None:
            raise StopIteration
        self.count += 1
        return questions


def rounds(series, plan, asking, opening, closing):
    """Give what a series of deliveries asks in the session of a plan, one round after another.

    `asking` returns how messages from a reverse-path are asked for, by a server that has answered EHLO so.
    """
    series.asked = None
    yield opening
    messages = plan.messages
    ask = asking(series.said, plan.reverse_path)
    for leg in legs_of(plan):
        if len(leg) < len(messages):
            series.begin_leg()
            yield LEG
        series.asked = asked = ask(plan.arrival, leg)
        for questions in asked:
            yield questions
        if asked.count < len(leg):
            return
        series.asked = None
        series.messages += asked.count
    yield closing
    series.done = True
