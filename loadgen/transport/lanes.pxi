"""Part of native.pyx: the epoll that the lanes share, and their deadlines."""


cdef enum:
    USUAL = 256               # places, for the questions of a run, which are some dozen


cdef class Usual:
    """The last answer to a question that was found among those it hopes for: the next is mostly the same."""

    cdef object hoped_for
    cdef bytes octets         # None: there was none
    cdef object counted


cdef class Lanes:
    """The native lanes of one epoll, by descriptor. `offset` is trio's clock less the system's monotonic one, s.

    `earlier` is told of each deadline that is earlier than all since the last sweep: when there is to be the next.
    """

    cdef int epoll
    cdef double offset
    cdef double next                  # no lane's deadline is earlier
    cdef object earlier
    cdef bint woken                   # a task, since the last poll began
    cdef double lingers_from          # in this poll; 0: not asked for yet
    cdef double lingers_until         # -INFINITY: no longer
    cdef readonly int connected       # lanes that have a connection, or make one: what there is to wait for
    cdef list lanes
    cdef list usual                   # by where in memory their hopes lie

    def __init__(self, int epoll, double offset, earlier):
        self.epoll = epoll
        self.offset = offset
        self.lanes = []
        self.usual = [None] * USUAL
        self.next = INFINITY
        self.earlier = earlier

    def tally(self):
        """Return a new tally, for the sessions of series that are of one kind."""
        return Tally()

    def lane(self, conversation, *, bint series=False, double limit_s=INFINITY):
        """Return a lane for a conversation, which does nothing yet. `series`: others follow it at once.

        One that is not over after `limit_s` is ended: it has outlived its limit.

        A series has a `tally`, a `name`, an instant at which it was due (`due_ns`; -1: when it started), and counts its
        `messages`; `follow` makes it the next and returns what that begins with, or None: then the series is over, or if
        it `stands_by` idle, until it is begun again. Those that come to their end as hoped are tallied; of the one that
        does not the log is told.
        """
        return NativeLane(self, conversation, conversation.tally if series else None, limit_s)

    def poll(self, int most, linger_until, *, bint idle=False, bint punctual=False):
        """Handle what has happened, so many events at most; return how many, and those that are no native lane's.

        While a lane has a connection, or even when they are `idle`, more is waited for here, at a tenth of what a turn
        of trio's costs, however much it is: until an event is no lane's, a task is woken, or the instant has come that
        `linger_until` returns, in seconds of trio's clock, told how long has been lingered, and is not put off when it
        is asked again. It is met up to a millisecond late, as trio meets its deadlines; `punctual`, as exactly as the
        system can.
        """
        cdef epoll_event events[EVENTS_AT_ONCE]
        cdef int count, place, fd, handled = 0, room = most
        cdef long long wait_ns = 0
        cdef double left_s
        cdef NativeLane lane
        others = []
        self.woken = False
        self.lingers_from = self.lingers_until = 0.0
        while handled < room and not others:
            count = min(room - handled, EVENTS_AT_ONCE)
            if wait_ns > 0:
                with nogil:
                    count = epoll_wait_ns(self.epoll, events, count, wait_ns)
            else:
                count = epoll_wait(self.epoll, events, count, 0)
            if count < 0:
                break
            for place in range(count):
                fd = events[place].data.fd
                lane = self.lanes[fd] if fd < len(self.lanes) else None
                if lane is None:
                    others.append((fd, events[place].events))
                else:
                    lane.notice(events[place].events)
            handled += count
            room, wait_ns = most, 0
            if (self.connected or idle) and not (self.woken or others):
                left_s = self.left_s(linger_until)
                if left_s > 0:
                    room = handled + EVENTS_AT_ONCE
                    wait_ns = in_ns(left_s) + 1 if punctual else <long long> ceil(left_s * MS_PER_S) * NS_PER_MS
            if count == 0 and wait_ns == 0:
                break
        return handled, others

    cdef double left_s(self, linger_until) except? -1:
        """Return for how long more is waited for; not above 0: no longer."""
        cdef double now = self.now()
        if -INFINITY < self.lingers_until <= now:
            self.lingers_from = self.lingers_from or now
            self.lingers_until = linger_until(now - self.lingers_from)
            now = self.now()
            if self.lingers_until <= now:
                self.lingers_until = -INFINITY
        return self.lingers_until - now

    cdef Usual usual_answer(self, hoped_for):
        """Return the usual answer to a question that hopes for these."""
        cdef Py_ssize_t place = (<size_t> <void *> hoped_for // 16) % USUAL
        cdef object known = self.usual[place]
        cdef Usual usual
        if known is not None and (<Usual> known).hoped_for is hoped_for:
            return <Usual> known
        usual = self.usual[place] = Usual()
        usual.hoped_for = hoped_for
        return usual

    cdef double now(self):
        cdef timespec time
        clock_gettime(CLOCK_MONOTONIC, &time)
        return self.offset + <double> (<long long> time.tv_sec * 1_000_000_000 + time.tv_nsec) / NS_PER_S

    def sweep(self, double now):
        """End those whose time is over, and return the next deadline. Of twenty thousand it takes 0.2 ms."""
        self.next = INFINITY
        for lane in self.lanes:
            if lane is not None and (<NativeLane> lane).deadline <= now:
                (<NativeLane> lane).be_late()
            elif lane is not None:
                self.next = min(self.next, (<NativeLane> lane).deadline)
        return self.next

    def close(self, error):
        """End all lanes, because the poller ends."""
        for lane in self.lanes:
            if lane is not None:
                (<NativeLane> lane).finish(error)
        self.next, self.earlier = -INFINITY, None       # nobody is told any more, and no circle is left

    cdef int will_be_late(self, double deadline) except -1:
        self.next = deadline
        self.earlier(deadline)
        return 0

    cdef int register(self, int fd, NativeLane lane, int how, uint32_t also):
        cdef epoll_event wanted
        while fd >= len(self.lanes):
            self.lanes.append(None)
        self.connected += self.lanes[fd] is None
        self.lanes[fd] = lane
        wanted.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET | also
        wanted.data.fd = fd
        return epoll_ctl(self.epoll, how, fd, &wanted)

    cdef int forget(self, int fd, NativeLane lane) except -1:
        # Not left to close(2): a duplicate of the descriptor (a fork's) would keep it in.
        if 0 <= fd < len(self.lanes) and self.lanes[fd] is lane:
            self.lanes[fd] = None
            self.connected -= 1
            epoll_ctl(self.epoll, EPOLL_CTL_DEL, fd, NULL)
        return 0
