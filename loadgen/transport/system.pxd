# cython: language_level=3
"""What of Linux's system calls the native lane uses, beyond what Cython declares."""

from libc.stdint cimport uint32_t
from posix.uio cimport iovec

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

cdef extern from * nogil:
    # Linux has epoll_pwait2 since 5.11, the C library has it later; a filter of system calls may not know it (EPERM).
    """
    #include <errno.h>
    #include <sys/epoll.h>
    #include <sys/syscall.h>
    #include <unistd.h>

    static int epoll_wait_ns(int epfd, struct epoll_event *events, int maxevents, long long timeout)
    {
    #ifdef SYS_epoll_pwait2
        static int is_there = 1;
        if (is_there) {
            long long parts[2] = {timeout / 1000000000, timeout % 1000000000};
            int count = (int) syscall(SYS_epoll_pwait2, epfd, events, maxevents, parts, NULL, 0);
            if (count >= 0 || (errno != ENOSYS && errno != EPERM))
                return count;
            is_there = 0;
        }
    #endif
        return epoll_wait(epfd, events, maxevents, (int) ((timeout + 999999) / 1000000));
    }
    """
    int epoll_wait_ns(int epfd, epoll_event *events, int maxevents, long long timeout)

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
    ssize_t send(int fd, const void *buffer, size_t length, int flags)
    ssize_t sendmsg(int fd, const msghdr *message, int flags)

cdef extern from "<netinet/in.h>" nogil:
    enum:
        IP_BIND_ADDRESS_NO_PORT

cdef extern from "<netinet/tcp.h>" nogil:
    enum:
        TCP_NODELAY
