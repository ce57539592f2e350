#include "base/process.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <unistd.h>

void process_open_standard_fds(void)
{
    int fd;

    /* open gives the lowest number that is free. */
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        _exit(126);
    close(fd);
}

void process_keep_descriptors(void)
{
    /* Kernels before 5.11 do not know the flag; there the flags that were given when files were opened count.
     */
    (void)close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}
