#include "tests/unit/sol/sim_end.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/redir_session.h"
#include "tests/unit/amtsim/sim.h"

struct sim_parts {
    struct sim sim;
    struct device *device;
    struct redir_session *session;
    struct machine_ops ops;
};

/* The machine's operations do not know who calls; there is one end at a time. */
static struct sim_end *current;

static size_t on_typed(struct machine *machine, const void *p, size_t n)
{
    (void)machine;
    buf_add(&current->typed, p, n);
    return n;
}

static void on_changed(void *arg)
{
    (void)arg;
}

void sim_end_start(struct sim_end *end, unsigned generation)
{
    struct sim_parts *parts = xcalloc(1, sizeof(*parts));

    memset(end, 0, sizeof(*end));
    end->parts = parts;
    end->typed = buf_init(1 << 20);
    end->data = buf_init(16 << 20);
    current = end;
    sim_start(&parts->sim, 1, generation);
    parts->device = &parts->sim.fleet->devices[0];
    parts->ops = *parts->device->machine->ops;
    parts->ops.console_write = on_typed;
    parts->device->machine->ops = &parts->ops;
    sim_end_connect(end);
}

void sim_end_stop(struct sim_end *end)
{
    redir_session_free(end->parts->session);
    sim_stop(&end->parts->sim);
    buf_free(&end->typed);
    buf_free(&end->data);
    free(end->parts);
}

void sim_end_connect(struct sim_end *end)
{
    redir_session_free(end->parts->session);
    end->parts->session = redir_session_new(end->parts->device, on_changed, end);
}

int64_t sim_end_now(const struct sim_end *end)
{
    return end->parts->sim.time.mono;
}

void sim_end_pass(struct sim_end *end, int64_t ms)
{
    end->parts->sim.time.mono += ms;
    if (redir_session_deadline(end->parts->session) <= end->parts->sim.time.mono)
        redir_session_tick(end->parts->session);
}

void sim_end_feed(struct sim_end *end, const void *p, size_t n)
{
    redir_session_feed(end->parts->session, p, n);
}

struct view sim_end_output(struct sim_end *end)
{
    return redir_session_output(end->parts->session);
}

void sim_end_sent(struct sim_end *end, size_t n)
{
    redir_session_sent(end->parts->session, n);
}

bool sim_end_closes(const struct sim_end *end)
{
    return redir_session_fate(end->parts->session) != REDIR_GOES_ON;
}

bool sim_end_breaks(const struct sim_end *end)
{
    return redir_session_fate(end->parts->session) == REDIR_BREAKS;
}

void sim_end_say(struct sim_end *end, const void *p, size_t n)
{
    redir_console(end->parts->device, p, n);
}

void sim_end_reset(struct sim_end *end)
{
    redir_machine_reset(end->parts->device);
}

static void on_answer(void *arg, const struct drive_answer *answer)
{
    struct sim_end *end = arg;

    end->answers++;
    end->gone = answer->gone;
    end->sense = answer->sense;
    end->asc = answer->asc;
    end->ascq = answer->ascq;
    buf_reset(&end->data);
    buf_add(&end->data, answer->data, answer->n);
}

bool sim_end_command(struct sim_end *end, bool cd, const uint8_t cdb[12], uint32_t expect)
{
    struct drive_request request = {
        .drive = cd ? DRIVE_CD : DRIVE_FLOPPY, .expect = expect, .done = on_answer, .arg = end};

    memcpy(request.cdb, cdb, sizeof(request.cdb));
    return redir_drive(end->parts->device, &request);
}

void sim_end_allow(struct sim_end *end, unsigned enabled_state)
{
    end->parts->device->redirection.enabled_state = (uint16_t)enabled_state;
}

void sim_end_want_consent(struct sim_end *end)
{
    end->parts->device->client_mode = true;
}
