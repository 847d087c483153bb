# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The native lane: a session made of rounds, from connecting to closing, without the interpreter between two answers.

It connects, says a question, reads, looks the answer up among those that are hoped for, notes when, and goes on with
the next; an answer it does not find there it asks about. Where something is otherwise, whatever it is, it stops and
gives the connection back, and the session goes over it by its ordinary code. Of mail it knows no more.

Where sessions are to follow each other at once, one lane leads them all, and tallies what goes as hoped.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.dict cimport PyDict_GetItem
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.errno cimport EAGAIN, EALREADY, EINPROGRESS, EINTR, EISCONN, errno
from libc.math cimport INFINITY, ceil
from libc.stdint cimport uint32_t
from libc.string cimport memchr, memcmp, memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from posix.uio cimport iovec
from posix.unistd cimport close

from loadgen.transport.system cimport (
    EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP,
    IP_BIND_ADDRESS_NO_PORT, IPPROTO_IP, IPPROTO_TCP, MSG_NOSIGNAL, SO_ERROR, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM,
    SOL_SOCKET, TCP_NODELAY, bind, connect, epoll_ctl, epoll_event, epoll_wait, epoll_wait_ns, getsockopt, msghdr, recv,
    send, sendmsg, setsockopt, sockaddr, socket, socklen_t,
)

from outcome import Error
from trio.lowlevel import Abort, checkpoint, current_task, reschedule, wait_task_rescheduled

cdef enum:
    EVENTS_AT_ONCE = 64
    KINDS_MAX = 32
    NOTED_MAX = 256
    NS_PER_MS = 1_000_000
    PIECES_MAX = 64
    RECEIVE_OCTETS = 65536
    OVER = EPOLLRDHUP | EPOLLHUP | EPOLLERR
    READABLE = EPOLLIN | EPOLLPRI | OVER
    TWO_READS = EPOLLPRI | OVER
    WRITABLE = EPOLLOUT | OVER
    LATE = -1         # in the place of an errno

cdef extern from *:
    long long SOURCE_CHECKSUM         # of this file, when it was compiled: hatch_build.py

source_checksum = SOURCE_CHECKSUM
cdef double NS_PER_S = 1e9
cdef double MS_PER_S = 1e3
cdef char received[RECEIVE_OCTETS]


cdef inline long long in_ns(double instant):
    return <long long> (instant * NS_PER_S)


include "tally.pxi"
include "heard.pxi"
include "lanes.pxi"


cdef class NativeLane:
    """One connection and its conversation, led here while who owns both waits to be told of the end of it."""

    # What every answer has to do with comes first, together: of thousands of lanes few are in the processor's cache.
    cdef Lanes lanes
    cdef Tally tally                  # of a series; None: it is none, and the log is told
    cdef Heard heard
    cdef Py_ssize_t answer            # where it begins in what was heard
    cdef Py_ssize_t lines_octets      # the most it may have that lines follow; 0: none do
    cdef object hoped_for, name       # the name of the phase
    cdef tuple round
    cdef Py_ssize_t at                # in the round
    cdef double started               # the phase
    cdef Answers answers              # of a series only
    cdef object saying                # what has not been sent, or not all of it; None: all has
    cdef Py_ssize_t said              # octets of it
    cdef long long sent, heard_octets, taken      # and messages
    cdef double ends, deadline        # when the whole session is over, and by when something has to happen
    cdef int fd, number               # how many sessions of the series came before
    cdef bint in_part                 # it ends no phase: the next question belongs to the same
    cdef bint connected, over
    cdef object rounds, conversation
    cdef bytes told_last              # to the conversation: an answer
    cdef list timings, replies        # the log's
    cdef list noted
    cdef Py_ssize_t searched          # of the answer's lines
    cdef object log, task, told
    cdef object error                 # that ended it: a bug; None: another thing did
    cdef Py_ssize_t opening           # answers, of a session that has legs
    cdef long long opening_sent, past_sent, past_heard  # octets: up to the first leg, and in the legs before
    cdef double limit, session_started            # of the whole session, s
    cdef readonly bint idle           # a series whose last session has been tallied; what is next is not known yet
    cdef readonly int connect_error   # an errno, or LATE; 0: none
    cdef readonly bint bound          # to the source it was to have
    cdef readonly int failure         # an errno: what broke the connection; 0: nothing
    cdef readonly bint outlived       # by the session: its limit

    def __init__(self, Lanes lanes, conversation, Tally tally, double limit):
        self.lanes = lanes
        self.tally = tally
        self.limit = limit
        self.conversation = conversation
        self.log = conversation.log
        self.timings, self.replies = self.log.timings, self.log.replies
        self.heard = Heard()
        self.fd = -1

    def __dealloc__(self):
        forget_answers(&self.answers, 0)
        PyMem_Free(self.answers.first)

    def begin(self, int family, bytes address, bytes source, name, double limit_s):
        """Begin to connect: `address` and `source`, or None, are each a `struct sockaddr`; `name` is the phase."""
        cdef int on = 1, code
        self.idle = False
        self.started = self.session_started = self.now()
        self.rounds = self.conversation.rounds()
        self.noted = self.conversation.noted
        self.told_last = None
        self.name = name
        self.ends = self.started + self.limit
        self.be_late_at(min(self.ends, self.started + limit_s))
        self.bound = True
        self.connected = self.in_part = False
        self.answer = 0
        self.fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
        if self.fd < 0:
            return self.cannot_connect(errno)
        setsockopt(self.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))
        if source is not None:
            setsockopt(self.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on))
            if bind(self.fd, <sockaddr *> PyBytes_AS_STRING(source), PyBytes_GET_SIZE(source)) < 0:
                self.bound = False
                return self.cannot_connect(errno)
        code = self.connect(address)
        if code == EINPROGRESS:      # over loopback the hand-shake is over before the call returns: asking again says so
            code = self.connect(address)
        if code != 0 and code != EISCONN and code != EALREADY and code != EINPROGRESS:
            return self.cannot_connect(code)
        self.connected = code == 0 or code == EISCONN
        if self.lanes.register(self.fd, self, EPOLL_CTL_ADD, 0 if self.connected else EPOLLOUT) < 0:
            return self.cannot_connect(errno)
        if self.connected:
            self.converse()
        return 0

    def ended(self):
        """Wait for the end of it; to be awaited at once. Always a checkpoint."""
        self.told = None
        if self.over:
            return _checkpoint(self.error)
        self.task = current_task()
        return wait_task_rescheduled(self.abort)

    def when_ended(self, told):
        """Have somebody told of the end of it, once, should no task wait for it then: who says if a task is woken."""
        if not self.over:
            self.told = told
        elif told():
            self.lanes.woken = True

    def take(self):
        """Return the descriptor of the connection, to go on with: the caller's now, and so is what went over it."""
        fd, self.fd = self.fd, -1
        self.sent = self.heard_octets = 0
        return fd

    def dismiss(self):
        """End an idle series: nothing follows."""
        self.finish(None)

    def close(self):
        """Close the connection if it is still ours, and count what went over it."""
        if self.fd >= 0:
            close(self.fd)
            self.fd = -1
        self.log.octets_sent += self.sent
        self.log.octets_received += self.heard_octets
        self.sent = self.heard_octets = 0

    def abort(self, _):
        """Stop, because the task is cancelled."""
        self.task = None
        self.finish(None)
        return Abort.SUCCEEDED

    cdef double now(self):
        return self.lanes.now()

    cdef int be_late_at(self, double deadline) except -1:
        self.deadline = deadline
        if deadline < self.lanes.next:
            self.lanes.will_be_late(deadline)
        return 0

    cdef int be_late(self) except -1:
        self.outlived = self.deadline == self.ends
        return self.finish(None) if self.connected else self.cannot_connect(LATE)

    cdef int connect(self, bytes address):
        return 0 if connect(self.fd, <sockaddr *> PyBytes_AS_STRING(address), PyBytes_GET_SIZE(address)) == 0 else errno

    cdef int cannot_connect(self, int code) except -1:
        self.connect_error = code
        return self.finish(None)

    cdef int converse(self) except -1:
        """Begin the conversation: the connection is made."""
        cdef double now = self.now()
        self.connected = True
        self.enter(None, now)
        self.conversation.began_s = now
        return self.go_on()

    cdef int notice(self, uint32_t events) except -1:
        """Go on after these events: read what has come, and say what follows from it."""
        cdef int code = 0, number
        cdef socklen_t size = sizeof(code)
        if events != EPOLLIN:        # nothing but that something has come
            if not self.connected:
                if not events & WRITABLE:
                    return 0
                getsockopt(self.fd, SOL_SOCKET, SO_ERROR, &code, &size)
                if code:
                    return self.cannot_connect(code)
                self.converse()
            elif self.saying is not None and events & WRITABLE:
                self.say()
            if not events & READABLE:
                return 0
        number = self.number
        while not self.over and self.read(events & TWO_READS) and self.number == number:      # one edge, more reads
            pass
        return 0

    cdef bint read(self, bint more) except -1:
        """Read once, and go on with what has come; say whether there may be more, as is known or as it was full."""
        cdef ssize_t count = recv(self.fd, received, RECEIVE_OCTETS, 0)
        cdef double now
        if count < 0:
            if errno != EAGAIN and errno != EINTR:
                self.failure = errno
                self.finish(None)
            return errno == EINTR
        now = self.now()
        self.heard.add(received, count, now)
        if self.noted is not None:
            self.note(PyBytes_FromStringAndSize(received, count), False)
        self.heard_octets += count
        if count == 0 or self.saying is not None:      # the end, or words before we were done
            self.finish(None)
        else:
            self.hear(now)
        return more or count == RECEIVE_OCTETS

    cdef int hear(self, double now) except -1:
        """Hold the answer, as far as it has come, against what is hoped for, and go on if it is that."""
        cdef Usual usual
        cdef bytes octets
        cdef PyObject *known
        if self.lines_octets:
            return self.hear_lines(now)
        usual = self.lanes.usual_answer(self.hoped_for)
        if usual.octets is not None and self.heard.is_since(self.answer, usual.octets):
            return self.be_answered(usual.octets, usual.counted, now)
        octets = self.heard.since(self.answer)
        known = PyDict_GetItem(self.hoped_for, octets)
        if known is NULL:
            return self.judge(octets, now)
        usual.octets, usual.counted = octets, <object> known
        return self.be_answered(octets, usual.counted, now)

    cdef int hear_lines(self, double now) except -1:
        """Hold an answer that lines follow against what is hoped for: its first line, and where they end."""
        cdef LinesEnd end = self.lines_end()
        cdef PyObject *known = PyDict_GetItem(self.hoped_for, self.first_line()) if end != OTHERWISE else NULL
        if known is NULL:
            return self.judge(self.heard.since(self.answer), now)
        return 0 if end == NOT_YET else self.be_answered(None, <object> known, now)

    cdef int judge(self, bytes octets, double now) except -1:
        """Ask about an answer that is not known."""
        if self.hoped_for.goes_on(octets):
            return 0
        counted = self.hoped_for.judge(octets)
        return self.finish(None) if counted is None else self.be_answered(octets, counted, now)

    cdef int be_answered(self, bytes octets, counted, double now) except -1:
        """Go on after an answer that is as hoped; None: its octets are where it was heard."""
        self.enter(counted, now)
        self.at += 1
        if self.at < len(self.round):
            return self.ask(now)
        if octets is None:
            octets = self.heard.since(self.answer)
        if octets is not self.told_last:
            self.told_last = self.conversation.said = octets
        return self.go_on()

    cdef LinesEnd lines_end(self):
        """Say where the lines of the answer end; nobody waits for more of them than they may be."""
        cdef Py_ssize_t count = self.heard.count - self.answer
        cdef LinesEnd end = lines_end(self.heard.octets + self.answer, count, &self.searched)
        return OTHERWISE if end == NOT_YET and count > self.lines_octets else end

    cdef bytes first_line(self):
        """Return the first line of the answer, or what there is of it."""
        cdef const char *answer = self.heard.octets + self.answer
        cdef Py_ssize_t count = self.heard.count - self.answer
        cdef const char *line_feed = <const char *> memchr(answer, c'\n', count)
        return PyBytes_FromStringAndSize(answer, count if line_feed is NULL else line_feed - answer + 1)

    cdef int go_on(self) except -1:
        """Begin the next round, if there is one."""
        try:
            self.round = next(self.rounds, None)
            if self.round is not None and len(<tuple> self.round) == 0:
                self.begin_leg()
                self.round = next(self.rounds, None)
        except BaseException as error:      # a bug: raised where the session is
            return self.finish(error)
        if self.round is None:
            return self.follow() if self.tally is not None and self.conversation.done else self.finish(None)
        self.at = 0
        return self.ask(self.now())         # what we did since the last answer is no time of the server's

    cdef int begin_leg(self) except -1:
        """Forget the leg before, if there is one; in a series it is tallied."""
        if not self.heard.opening:
            self.heard.open()
            self.opening = self.answers.count
            self.opening_sent = self.sent
            return 0
        self.heard.forget_leg()
        self.past_sent, self.past_heard = self.sent - self.opening_sent, self.heard_octets - self.heard.count
        if self.tally is not None:
            self.tally.add_leg(&self.answers, self.opening, self.due())
            forget_answers(&self.answers, self.opening)
            self.end_messages()
        return 0

    cdef long long due(self) except? -1:
        """Return when the session was due: when it started, if it was not due at an instant."""
        cdef long long due = self.conversation.due_ns
        return in_ns(self.session_started) if due < 0 else due

    cdef int enter(self, counted, double now) except -1:
        """Note an answer, or that the connection is made, which counts as nothing; and with it the phase that it ends."""
        if self.tally is None:
            if not self.in_part:
                self.timings.append((self.name, in_ns(self.started), in_ns(now)))
            if counted is not None:
                self.replies.append(counted)
            return 0
        put_answer(&self.answers, None if self.in_part else self.name, counted, in_ns(self.started), in_ns(now))
        if self.name is self.tally.taken_by and not self.in_part:
            self.taken += 1
            self.tally.under_way += 1
        return 0

    cdef int follow(self) except -1:
        """End and tally a session that went as hoped, and begin the one that follows it, if there is one."""
        cdef long long instants[4]
        self.lanes.forget(self.fd, self)
        close(self.fd)
        self.fd = -1
        instants[0], instants[2] = self.due(), in_ns(self.now())
        instants[1] = max(instants[0], in_ns(self.session_started))      # in float seconds a timer may be early by 1 ns
        messages, name = self.conversation.messages, self.conversation.name
        try:
            beginning = self.conversation.follow()
        except BaseException as error:      # a bug: raised where the session is
            return self.finish(error)
        instants[3] = in_ns(self.now()) if beginning is not None else -1
        self.tally.add(name, &self.answers, instants, messages, self.sent, self.heard_octets)
        self.forget()
        self.sent = self.heard_octets = self.past_sent = self.past_heard = 0
        self.number += 1
        self.tally.tell_if_full()
        if beginning is not None:
            self.begin(*beginning)
        elif self.conversation.stands_by:
            self.idle = True
        else:
            self.finish(None)
        return 0

    cdef int forget(self) except -1:
        """Forget what was noted of a session."""
        forget_answers(&self.answers, 0)
        self.heard.forget()
        self.end_messages()
        return 0

    cdef int end_messages(self) except -1:
        self.tally.under_way -= self.taken
        self.taken = 0
        return 0

    cdef int tell(self) except -1:
        """Tell the log of the session that is not tallied."""
        cdef Answer *answer
        cdef Py_ssize_t at
        for at in range(self.answers.count):
            answer = &self.answers.first[at]
            if <object> answer.ended is not None:
                self.timings.append((<object> answer.ended, answer.started, answer.finished))
            if <object> answer.counted is not None:
                self.replies.append(<object> answer.counted)
        self.end_messages()
        return 0

    cdef int ask(self, double now) except -1:
        """Put the question at hand."""
        stage, said = <tuple> (<tuple> self.round)[self.at]
        if not self.in_part:
            self.started = now
        self.name, limit_s, self.hoped_for, lines_octets, in_part = <tuple> stage
        self.lines_octets, self.in_part = lines_octets, in_part
        self.answer, self.searched = self.heard.count, 0
        self.be_late_at(min(self.ends, now + <double> limit_s))
        if said:
            self.saying = said[0] if type(said) is tuple and len(<tuple> said) == 1 else said
            self.said = 0
            if self.noted is not None:
                self.note(said, True)
            self.say()
        return 0

    cdef int note(self, octets, bint ours) except -1:
        """Note what was said for whoever listens, up to a bound."""
        self.noted.append((ours, octets))
        if len(self.noted) == NOTED_MAX:
            self.noted = None
        return 0

    cdef int say(self) except -1:
        """Say what is to be said, from where we were: now what fits, and the rest when it does."""
        cdef Py_ssize_t whole
        cdef ssize_t sent
        if type(self.saying) is bytes:
            whole = PyBytes_GET_SIZE(self.saying)
            sent = send(self.fd, PyBytes_AS_STRING(self.saying) + self.said, whole - self.said, MSG_NOSIGNAL)
        else:
            sent = self.say_together(self.saying if type(self.saying) is tuple else (self.saying,), &whole)
        if sent < 0:
            if errno != EAGAIN and errno != EINTR:       # it is gone, and may have said why
                return self.finish(None)
            sent = 0
        self.said += sent
        self.sent += sent
        if self.said == whole:
            self.saying = None
        elif self.lanes.register(self.fd, self, EPOLL_CTL_MOD, EPOLLOUT) < 0:
            self.finish(None)
        return 0

    cdef ssize_t say_together(self, tuple pieces, Py_ssize_t *whole) except -2:
        """Say pieces with one call; return what it does, and how much they are as a whole."""
        cdef iovec vectors[PIECES_MAX]
        cdef msghdr message
        cdef Py_buffer view
        cdef Py_ssize_t skipped = self.said
        cdef int count = 0
        whole[0] = 0
        for piece in pieces:
            PyObject_GetBuffer(piece, &view, PyBUF_SIMPLE)
            whole[0] += view.len
            if skipped < view.len and count < PIECES_MAX:
                vectors[count].iov_base = <char *> view.buf + skipped
                vectors[count].iov_len = view.len - skipped
                count += 1
            skipped = max(0, skipped - view.len)
            PyBuffer_Release(&view)        # `pieces` keeps what it shows
        memset(&message, 0, sizeof(message))
        message.msg_iov = vectors
        message.msg_iovlen = count
        return sendmsg(self.fd, &message, MSG_NOSIGNAL)

    cdef int finish(self, error) except -1:
        """End it, once, and let the task know. As hoped it is closed; else the task goes on with the connection."""
        if self.over:
            return 0
        self.idle = False
        self.over, self.error = True, error
        self.log.phase = self.name
        self.conversation.started_s = self.session_started
        self.conversation.octets_sent = self.sent
        self.conversation.past = self.past_sent, self.past_heard
        if not self.conversation.done:
            self.heard.tell(self.conversation.heard)
        if self.tally is not None:
            self.tell()
        self.lanes.forget(self.fd, self)
        if self.conversation.done:
            self.close()
        task, self.task = self.task, None
        told, self.told = self.told, None
        if task is not None:
            self.lanes.woken = True
            if error is None:
                reschedule(task)
            else:
                reschedule(task, Error(error))
        elif told is not None and told():
            self.lanes.woken = True
        return 0


async def _checkpoint(error):
    await checkpoint()
    if error is not None:
        raise error
