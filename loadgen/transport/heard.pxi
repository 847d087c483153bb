"""Part of native.pyx: what was heard on a connection, as it lies, and where an answer that lines follow ends in it."""

cdef enum:
    ROOM_KEPT = 1 << 14       # octets, for the next session of a series

cdef enum LinesEnd:
    NOT_YET, AT_THE_END, OTHERWISE


cdef class Heard:
    """All that was heard in one session, without an object for each read: it may be gone over again.

    Of a session in legs it is the opening, and the leg under way.
    """

    cdef char *octets
    cdef Py_ssize_t count, room
    cdef Numbers reads                # of each: up to where it came, and when: a double as it lies
    cdef Py_ssize_t opening           # how many of these numbers are of the opening; 0: there are no legs

    def __dealloc__(self):
        PyMem_Free(self.octets)
        PyMem_Free(self.reads.first)

    cdef int add(self, const char *octets, Py_ssize_t count, double at) except -1:
        """Keep what one read gave."""
        if self.count + count > self.room:
            room = max(512, self.count + count, 2 * self.room)
            larger = <char *> PyMem_Realloc(self.octets, room)
            if larger is NULL:
                raise MemoryError
            self.octets, self.room = larger, room
        memcpy(self.octets + self.count, octets, count)
        self.count += count
        put(&self.reads, self.count)
        put(&self.reads, (<long long *> &at)[0])
        return 0

    cdef bint is_since(self, Py_ssize_t begin, bytes octets):
        """Say whether this is what was heard from there on."""
        cdef Py_ssize_t count = self.count - begin
        return count == PyBytes_GET_SIZE(octets) and memcmp(self.octets + begin, PyBytes_AS_STRING(octets), count) == 0

    cdef bytes since(self, Py_ssize_t begin):
        """Return what was heard from there on."""
        return PyBytes_FromStringAndSize(self.octets + begin, self.count - begin)

    cdef int tell(self, list heard) except -1:
        """Append what each read gave, and when."""
        cdef Py_ssize_t begin = 0, end, number
        for number in range(0, self.reads.count, 2):
            end = self.reads.first[number]
            octets = PyBytes_FromStringAndSize(self.octets + begin, end - begin)
            heard.append((octets, (<double *> self.reads.first)[number + 1]))
            begin = end
        return 0

    cdef int open(self) except -1:
        """All there is now is the opening."""
        self.opening = self.reads.count
        return 0

    cdef int forget_leg(self) except -1:
        """Forget what came behind the opening, which what comes next follows now."""
        self.reads.first[self.opening - 1] = self.reads.first[self.reads.count - 1]
        self.reads.count = self.opening
        self.count = self.reads.first[self.opening - 2]
        return 0

    cdef int forget(self) except -1:
        """Forget all, and give back what room one session in many needs."""
        self.count = self.reads.count = self.opening = 0
        if self.room > ROOM_KEPT:
            PyMem_Free(self.octets)
            self.octets, self.room = NULL, 0
        return 0


cdef LinesEnd lines_end(const char *octets, Py_ssize_t count, Py_ssize_t *searched):
    """Say whether lines, stuffed as they must be, end where the octets end (RFC 1939 §3).

    The line of one dot alone may be the first. They are searched from `searched` on, at or before the end of a line, and
    next time from where it is put. Who knows that they end otherwise, or have a line that was not stuffed, need not wait.
    """
    cdef const char *line_feed
    cdef const char *dot
    cdef Py_ssize_t after
    while True:
        line_feed = <const char *> memchr(octets + searched[0], c'\n', count - searched[0])
        searched[0] = count if line_feed is NULL else line_feed - octets
        if line_feed is NULL:
            return NOT_YET
        dot, after = line_feed + 1, count - searched[0] - 1
        if after == 0:
            return NOT_YET
        if dot[0] == c'.' and searched[0] and line_feed[-1] == c'\r':
            if after == 1 or (after == 2 and dot[1] == c'\r'):
                return NOT_YET
            if after == 3 and dot[1] == c'\r' and dot[2] == c'\n':
                return AT_THE_END
            if dot[1] != c'.':
                return OTHERWISE
        searched[0] += 1
