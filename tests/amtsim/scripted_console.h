/* What a scripted machine says and hears on its first serial port: BIOS, setup, boot menu, kernel log, a
 * shell.
 *
 * It exists once somebody listens or a boot cannot go on without it (setup, redirected drive); before that
 * the machine is as if it spoke and nobody heard it. It speaks at the fleet's rate; `flood` in its shell
 * speaks as fast as it is heard. All on the loop's thread. */
#ifndef AMTSIM_SCRIPTED_CONSOLE_H
#define AMTSIM_SCRIPTED_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/buf.h"
#include "tests/amtsim/machine.h"

#define SCRIPTED_RATE 11520 /* bytes a second: 115200 baud */

struct scripted_console; /* opaque */

/* The machine is borrowed; its lines and events are used. rate: bytes a second, 0: as fast as it is heard. */
struct scripted_console *scripted_console_new(uv_loop_t *loop, struct machine *machine, uint32_t rate,
                                              const char *name);
void scripted_console_free(struct scripted_console *console); /* NULL is fine */

/* Power comes, or a reset: the boot began that long ago. */
void scripted_console_boot(struct scripted_console *console, const struct machine_boot *boot,
                           uint64_t ago_ms);
/* Power goes, or the machine sleeps. */
void scripted_console_off(struct scripted_console *console);
/* As machine_ops. */
size_t scripted_console_write(struct scripted_console *console, const void *p, size_t n);
void scripted_console_flow(struct scripted_console *console, bool go);
/* The drives have come or gone. */
void scripted_console_drives(struct scripted_console *console, unsigned present);

/* --- for what speaks there --- */

/* Says it after all that was said. */
void scripted_console_say(struct scripted_console *console, const char *text);
void scripted_console_add(struct scripted_console *console, const void *p, size_t n);
struct machine *scripted_console_machine(const struct scripted_console *console);
uv_loop_t *scripted_console_loop(const struct scripted_console *console);
const char *scripted_console_name(const struct scripted_console *console);
/* Where the running system came from: "disk", "cd", "floppy". */
const char *scripted_console_root(const struct scripted_console *console);
uint64_t scripted_console_up_ms(const struct scripted_console *console);
/* Once the system has booted: the kernel log once more. */
void scripted_console_kernel_log(struct scripted_console *console);
/* More output than can be kept: fill is asked for it as it goes, at most n bytes a time, and answers how
 * many; 0: it is over. Outside the rate. NULL ends it. */
typedef size_t scripted_fill(void *arg, uint8_t *out, size_t n);
void scripted_console_pour(struct scripted_console *console, scripted_fill *fill, void *arg);
/* BREAK on the line for so long. */
void scripted_console_break(struct scripted_console *console, uint32_t ms);
/* Nothing is read from the port for so long. */
void scripted_console_busy(struct scripted_console *console, uint32_t ms);

#endif
