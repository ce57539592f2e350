/* The floor of console logging: connects to DIR/0.sock, ... and writes what it reads to LOGS/0.log, ..., a
 * write for every read; nothing else.
 *
 *   console_floor DIR COUNT LOGS */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rlimit files = {1 << 20, 1 << 20};
    int count, epoll = epoll_create1(0), *logs, *fds;
    static char block[65536];

    if (argc < 4)
        return 2;
    setrlimit(RLIMIT_NOFILE, &files);
    count = (int)strtol(argv[2], NULL, 10);
    logs = calloc((size_t)count, sizeof(*logs));
    fds = calloc((size_t)count, sizeof(*fds));
    for (int i = 0; i < count; i++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        char path[200];

        snprintf(path, sizeof(path), "%s/%d.log", argv[3], i);
        logs[i] = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/%d.sock", argv[1], i);
        if (logs[i] < 0 || connect(fds[i], (const struct sockaddr *)&address, sizeof(address)) != 0 ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) != 0) {
            perror(path);
            return 1;
        }
    }
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll, events, 256, -1);

        for (int i = 0; i < n; i++) {
            uint32_t which = events[i].data.u32;
            ssize_t got = read(fds[which], block, sizeof(block));

            if (got > 0 && write(logs[which], block, (size_t)got) != got)
                return 1;
            if (got == 0)
                return 0;
        }
    }
}
