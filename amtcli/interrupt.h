/* Ctrl-C, counted instead of ending the program. The one thing a signal may touch is the count. */
#ifndef AMTCLI_INTERRUPT_H
#define AMTCLI_INTERRUPT_H

#include <signal.h>

struct interrupt {
    struct sigaction kept;
};

/* From here on Ctrl-C is counted, from 0 on; a blocking system call ends with EINTR. May be nested. */
void interrupt_begin(struct interrupt *interrupt);
/* As it was before; the count stays. */
void interrupt_end(const struct interrupt *interrupt);
int interrupt_count(void);
void interrupt_reset(void);

#endif
