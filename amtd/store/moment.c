#include "amtd/store/moment.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define FOLLOW_MS 2000 /* clocks that are only a little off are left alone */

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
    then.span_ms = ms;
    return then;
}

static bool same_boot(const struct moment *moment, const struct moment *now)
{
    return moment->boot[0] && strcmp(moment->boot, now->boot) == 0;
}

int64_t moment_left_ms(const struct moment *moment, const struct moment *now)
{
    int64_t left = moment->wall_ms - now->wall_ms, most = moment->span_ms;

    if (moment->wall_ms == 0)
        return -1;
    if (same_boot(moment, now))
        left = moment->up_ms - now->up_ms;
    else
        most -= now->up_ms;
    if (moment->span_ms > 0 && left > most)
        left = most;
    return left > 0 ? left : 0;
}

bool moment_follow(struct moment *moment, const struct moment *now)
{
    int64_t wall_ms = now->wall_ms + moment->up_ms - now->up_ms, off_ms = wall_ms - moment->wall_ms;

    if (moment->wall_ms == 0 || !same_boot(moment, now) || (off_ms < FOLLOW_MS && off_ms > -FOLLOW_MS))
        return false;
    moment->wall_ms = wall_ms > 0 ? wall_ms : 1;
    return true;
}
