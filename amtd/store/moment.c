#include "amtd/store/moment.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* The kernel's name for this boot; "" where it has none: then the wall clock decides. */
static void read_boot(char out[MOMENT_BOOT_MAX])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, MOMENT_BOOT_MAX - 1) : 0;

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

struct moment moment_now(void)
{
    struct moment now = {.wall_ms = clock_wall(clock_system())};
    struct timespec up = {0};

    clock_gettime(CLOCK_BOOTTIME, &up);
    now.up_ms = (int64_t)up.tv_sec * 1000 + up.tv_nsec / 1000000;
    read_boot(now.boot);
    return now;
}

struct moment moment_in(const struct moment *now, int64_t ms)
{
    struct moment then = *now;

    if (ms <= 0)
        return (struct moment){0};
    then.wall_ms += ms;
    then.up_ms += ms;
    return then;
}

int64_t moment_left_ms(const struct moment *moment, const struct moment *now)
{
    bool same_boot = moment->boot[0] && strcmp(moment->boot, now->boot) == 0;
    int64_t left = same_boot ? moment->up_ms - now->up_ms : moment->wall_ms - now->wall_ms;

    if (moment->wall_ms == 0)
        return -1;
    return left > 0 ? left : 0;
}
