#include "amtcli/interrupt.h"

static volatile sig_atomic_t count;

static void on_interrupt(int number)
{
    (void)number;
    count++;
}

void interrupt_begin(struct interrupt *interrupt)
{
    struct sigaction act = {.sa_handler = on_interrupt};

    count = 0;
    sigaction(SIGINT, &act, &interrupt->kept);
}

void interrupt_end(const struct interrupt *interrupt)
{
    sigaction(SIGINT, &interrupt->kept, NULL);
}

int interrupt_count(void)
{
    return count;
}

void interrupt_reset(void)
{
    count = 0;
}
