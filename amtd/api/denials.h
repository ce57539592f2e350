/* How often somebody may be denied something with a row of its own in the activity log: whoever tries all
 * day, as fast as he can, must not fill the disk with it. What is left out is told as a number. Loop's
 * thread. */
#ifndef AMTD_API_DENIALS_H
#define AMTD_API_DENIALS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define DENIALS_MOST      300 /* of one in each window */
#define DENIALS_WINDOW_MS 60000

struct denials;

/* left_out(arg, who, count) tells at the end of a window how many there were beyond. */
struct denials *denials_new(uv_loop_t *loop, void (*left_out)(void *arg, const char *who, uint32_t count),
                            void *arg);
/* Tells what is still to be told. NULL is fine. */
void denials_free(struct denials *denials);
/* One more of who; false: it is left out, and counted. */
bool denials_pass(struct denials *denials, const char *who);

#endif
