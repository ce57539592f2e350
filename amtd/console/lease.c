#include "amtd/console/lease.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void lease_clear(struct lease *lease)
{
    free(lease->waiting);
    memset(lease, 0, sizeof(*lease));
}

/* Its place in the line; waiting_count when it does not wait. */
static size_t place(const struct lease *lease, uint64_t member)
{
    size_t i = 0;

    while (i < lease->waiting_count && lease->waiting[i] != member)
        i++;
    return i;
}

bool lease_waits(const struct lease *lease, uint64_t member)
{
    return place(lease, member) < lease->waiting_count;
}

static void leave_line(struct lease *lease, uint64_t member)
{
    size_t i = place(lease, member);

    if (i == lease->waiting_count)
        return;
    lease->waiting_count--;
    memmove(lease->waiting + i, lease->waiting + i + 1, (lease->waiting_count - i) * sizeof(*lease->waiting));
}

static void join_line(struct lease *lease, uint64_t member)
{
    if (lease_waits(lease, member))
        return;
    lease->waiting = xreallocarray(lease->waiting, lease->waiting_count + 1, sizeof(*lease->waiting));
    lease->waiting[lease->waiting_count++] = member;
}

bool lease_request(struct lease *lease, uint64_t member)
{
    if (lease->holder == 0)
        lease->holder = member;
    if (lease->holder == member)
        return true;
    join_line(lease, member);
    return false;
}

uint64_t lease_force(struct lease *lease, uint64_t member)
{
    uint64_t old = lease->holder;

    leave_line(lease, member);
    lease->holder = member;
    if (old != 0 && old != member)
        join_line(lease, old);
    return old;
}

bool lease_grant(struct lease *lease, uint64_t from, uint64_t to)
{
    if (from == 0 || lease->holder != from || !lease_waits(lease, to))
        return false;
    leave_line(lease, to);
    lease->holder = to;
    return true;
}

uint64_t lease_release(struct lease *lease, uint64_t member)
{
    leave_line(lease, member);
    if (lease->holder != member)
        return 0;
    lease->holder = lease->waiting_count > 0 ? lease->waiting[0] : 0;
    leave_line(lease, lease->holder);
    return lease->holder;
}
