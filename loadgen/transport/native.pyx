# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The native lane: a session made of rounds, from connecting to closing, without the interpreter between two answers.

It connects, says a question, reads, looks the answer up among those that are hoped for, notes when, and goes on with
the next; an answer it does not find there it asks about. Where something is otherwise, whatever it is, it stops and
gives the connection back, and the session goes over it by its ordinary code. Of mail it knows no more.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItem
from cpython.ref cimport PyObject
from libc.errno cimport EAGAIN, EALREADY, EINPROGRESS, EINTR, EISCONN, errno
from libc.stdint cimport uint32_t
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from posix.uio cimport iovec
from libc.string cimport memset
from posix.unistd cimport close

from outcome import Error, Value
from trio.lowlevel import Abort, checkpoint, current_task, reschedule, wait_task_rescheduled

cdef extern from "<sys/epoll.h>" nogil:
    enum:
        EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD
    ctypedef union epoll_data_t:
        int fd
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_ctl(int epfd, int op, int fd, epoll_event *event)
    int epoll_wait(int epfd, epoll_event *events, int maxevents, int timeout)

cdef extern from "<sys/socket.h>" nogil:
    enum:
        IPPROTO_IP, IPPROTO_TCP, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, SOL_SOCKET, SO_ERROR
    ctypedef unsigned int socklen_t
    struct sockaddr:
        pass
    struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen
    int socket(int domain, int type, int protocol)
    int bind(int fd, const sockaddr *address, socklen_t length)
    int connect(int fd, const sockaddr *address, socklen_t length)
    int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
    int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
    ssize_t recv(int fd, void *buffer, size_t length, int flags)
    ssize_t sendmsg(int fd, const msghdr *message, int flags)

cdef extern from "<netinet/in.h>" nogil:
    enum:
        IP_BIND_ADDRESS_NO_PORT

cdef extern from "<netinet/tcp.h>" nogil:
    enum:
        TCP_NODELAY

cdef enum:
    EVENTS_AT_ONCE = 64
    NOTED_MAX = 1024
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
cdef char received[RECEIVE_OCTETS]


cdef class Lanes:
    """The native lanes of one epoll, by descriptor. `offset` is trio's clock less the system's monotonic one, s."""

    cdef int epoll
    cdef double offset
    cdef list lanes

    def __init__(self, int epoll, double offset):
        self.epoll = epoll
        self.offset = offset
        self.lanes = []

    def lane(self, conversation):
        """Return a lane for a conversation, which does nothing yet."""
        return NativeLane(self, conversation)

    def poll(self, int most):
        """Handle what has happened, so many events at most; return how many, and those that are no native lane's."""
        cdef epoll_event events[EVENTS_AT_ONCE]
        cdef int count, place, fd
        cdef NativeLane lane
        count = max(0, epoll_wait(self.epoll, events, min(most, EVENTS_AT_ONCE), 0))
        others = []
        for place in range(count):
            fd = events[place].data.fd
            lane = self.lanes[fd] if fd < len(self.lanes) else None
            if lane is None:
                others.append((fd, events[place].events))
            else:
                lane.notice(events[place].events)
        return count, others

    def sweep(self, double now):
        """End those whose time is over. A look at twenty thousand takes a fifth of a millisecond."""
        for lane in self.lanes:
            if lane is not None and (<NativeLane> lane).deadline <= now:
                (<NativeLane> lane).be_late()

    def close(self, error):
        """End all lanes, because the poller ends."""
        for lane in self.lanes:
            if lane is not None:
                (<NativeLane> lane).finish(error)

    cdef int register(self, int fd, NativeLane lane, int how, uint32_t also):
        cdef epoll_event wanted
        while fd >= len(self.lanes):
            self.lanes.append(None)
        self.lanes[fd] = lane
        wanted.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET | also
        wanted.data.fd = fd
        return epoll_ctl(self.epoll, how, fd, &wanted)

    cdef int forget(self, int fd, NativeLane lane) except -1:
        # Not left to close(2): a duplicate of the descriptor (a fork's) would keep it in.
        if 0 <= fd < len(self.lanes) and self.lanes[fd] is lane:
            self.lanes[fd] = None
            epoll_ctl(self.epoll, EPOLL_CTL_DEL, fd, NULL)
        return 0


cdef class NativeLane:
    """One connection and its conversation, led here while the task that owns both waits for the end of it."""

    cdef Lanes lanes
    cdef object conversation, log, rounds, task, end, name, hoped_for
    cdef list heard, timings, replies, noted
    cdef object round
    cdef Py_ssize_t at                # in the round
    cdef object saying                # what has not been sent, or not all of it; None: all has
    cdef Py_ssize_t said              # octets of it
    cdef bytes begun                  # the beginning of a reply, until the rest of it comes
    cdef int fd
    cdef bint connected
    cdef double deadline
    cdef long long started_ns, sent, heard_octets
    cdef readonly int connect_error   # an errno, or LATE; 0: none
    cdef readonly bint bound          # to the source it was to have
    cdef readonly int failure         # an errno: what broke the connection; 0: nothing

    def __init__(self, Lanes lanes, conversation):
        self.lanes = lanes
        self.conversation = conversation
        self.rounds = conversation.rounds()
        self.log = conversation.log
        self.timings = self.log.timings
        self.replies = self.log.replies
        self.heard = conversation.heard
        self.noted = conversation.noted
        self.bound = True
        self.fd = -1

    def begin(self, int family, bytes address, bytes source, name, double limit_s):
        """Begin to connect: `address` and `source`, or None, are each a `struct sockaddr`; `name` is the phase."""
        cdef double now = self.now()
        cdef int on = 1, code
        self.name = name
        self.started_ns = <long long> (now * NS_PER_S)
        self.deadline = now + limit_s
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
        if self.end is not None:
            return _checkpoint(self.end)
        self.task = current_task()
        return wait_task_rescheduled(self.abort)

    def take(self):
        """Return the descriptor of the connection, to go on with: the caller's now."""
        fd, self.fd = self.fd, -1
        return fd

    def close(self):
        """Close the connection if it is still ours, and count what went over it."""
        if self.fd >= 0:
            close(self.fd)
            self.fd = -1
            self.log.octets_sent += self.sent
            self.log.octets_received += self.heard_octets

    def abort(self, _):
        """Stop, because the task is cancelled."""
        self.task = None
        self.finish(None)
        return Abort.SUCCEEDED

    cdef double now(self):
        cdef timespec time
        clock_gettime(CLOCK_MONOTONIC, &time)
        return self.lanes.offset + <double> (<long long> time.tv_sec * 1_000_000_000 + time.tv_nsec) / NS_PER_S

    cdef int be_late(self) except -1:
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
        self.timings.append((self.name, self.started_ns, <long long> (now * NS_PER_S)))
        self.conversation.began_s = now
        return self.go_on()

    cdef int notice(self, uint32_t events) except -1:
        """Go on after these events: read what has come, and say what follows from it."""
        cdef int code = 0
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
        while self.end is None and self.read(events & TWO_READS):      # one edge, and more than one read
            pass
        return 0

    cdef bint read(self, bint more) except -1:
        """Read once, and go on with what has come; say whether there may be more, as is known or as it was full."""
        cdef ssize_t count = recv(self.fd, received, RECEIVE_OCTETS, 0)
        cdef double now
        cdef bytes octets
        if count < 0:
            if errno != EAGAIN and errno != EINTR:
                self.failure = errno
                self.finish(None)
            return errno == EINTR
        now = self.now()
        octets = PyBytes_FromStringAndSize(received, count)
        self.heard.append((octets, now))
        if self.noted is not None:
            self.note(octets, False)
        self.heard_octets += count
        if count == 0 or self.saying is not None:      # the end, or words before we were done
            self.finish(None)
        else:
            self.hear(octets, now)
        return more or count == RECEIVE_OCTETS

    cdef int hear(self, bytes octets, double now) except -1:
        """Hold what came against what is hoped for, and go on if it is that."""
        cdef PyObject *known
        if self.begun is not None:
            octets, self.begun = self.begun + octets, None
        known = PyDict_GetItem(self.hoped_for, octets) if isinstance(self.hoped_for, dict) else NULL
        if known is not NULL:
            counted = <object> known
        elif self.hoped_for.goes_on(octets):
            self.begun = octets
            return 0
        else:
            counted = self.hoped_for.judge(octets)
            if counted is None:
                return self.finish(None)
        self.timings.append((self.name, self.started_ns, <long long> (now * NS_PER_S)))
        self.replies.append(counted)
        self.at += 1
        if self.at < len(self.round):
            return self.ask(now)
        self.conversation.said = octets
        return self.go_on()

    cdef int go_on(self) except -1:
        """Begin the next round, if there is one."""
        try:
            self.round = next(self.rounds, None)
        except BaseException as error:      # a bug: raised where the session is
            return self.finish(error)
        if self.round is None:
            return self.finish(None)
        self.at = 0
        return self.ask(self.now())         # what we did since the last answer is no time of the server's

    cdef int ask(self, double now) except -1:
        """Put the question at hand."""
        stage, said = <tuple> self.round[self.at]
        self.name, limit_s, self.hoped_for = <tuple> stage
        self.started_ns = <long long> (now * NS_PER_S)
        self.deadline = now + <double> limit_s
        if said:
            self.saying = said
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
        cdef iovec vectors[PIECES_MAX]
        cdef msghdr message
        cdef Py_ssize_t skipped = self.said, whole = 0, length
        cdef ssize_t sent
        cdef const unsigned char[::1] octets
        cdef int count = 0
        memset(&message, 0, sizeof(message))
        for piece in (self.saying,) if type(self.saying) is bytes else <tuple> self.saying:
            octets = piece
            length = len(octets)
            whole += length
            if skipped >= length or count == PIECES_MAX:
                skipped = max(0, skipped - length)
                continue
            vectors[count].iov_base = <void *> &octets[skipped]
            vectors[count].iov_len = length - skipped
            skipped = 0
            count += 1
        message.msg_iov = vectors
        message.msg_iovlen = count
        sent = sendmsg(self.fd, &message, MSG_NOSIGNAL)
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

    cdef int finish(self, error) except -1:
        """End it, once, and let the task know. As hoped it is closed; else the task goes on with the connection."""
        if self.end is not None:
            return 0
        self.end = Value(None) if error is None else Error(error)
        self.log.phase = self.name
        self.conversation.octets_sent = self.sent
        self.lanes.forget(self.fd, self)
        if self.conversation.done:
            self.close()
        task, self.task = self.task, None
        if task is not None:
            reschedule(task, self.end)
        return 0


async def _checkpoint(end):
    await checkpoint()
    end.unwrap()
