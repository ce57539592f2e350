#include "tests/unit/amtsim/sim.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/xml.h"
#include "tests/amtsim/epr.h"
#include "tests/amtsim/users.h"
#include "tests/amtsim/wsman.h"

void sim_start(struct sim *sim, uint32_t devices, unsigned generation)
{
    xml_library_init();
    uv_loop_init(&sim->loop);
    sim->time = (struct clock_fake){.mono = 1000000, .wall = 1767225600000};
    sim->clock = clock_fake_init(&sim->time);
    sim->realms = REALMS_ALL;
    options_defaults(&sim->options);
    sim->options.devices = devices;
    sim->options.generation = generation_by_number(generation);
    sim->options.console_rate = 0;
    sim->options.power_min_ms = sim->options.power_max_ms = 1;
    sim->fleet = fleet_new(&sim->options, &sim->loop, &sim->clock, NULL);
    fleet_start_machines(sim->fleet, NULL);
}

void sim_stop(struct sim *sim)
{
    fleet_free(sim->fleet);
    uv_run(&sim->loop, UV_RUN_DEFAULT);
    uv_loop_close(&sim->loop);
    options_clear(&sim->options);
}

#define GUARD_MS 5

static void on_guard(uv_timer_t *timer)
{
    ++*(unsigned *)timer->data;
}

/* Runs the loop until the device is in that state and has booted that often; fails the wait after 10 s. */
static void run_until(struct sim *sim, const struct device *device, enum machine_state state, uint32_t boots)
{
    unsigned ticks = 0;
    uv_timer_t guard; /* also keeps the loop going: machines' timers do not */
    uv_timer_init(&sim->loop, &guard);
    guard.data = &ticks;
    uv_timer_start(&guard, on_guard, GUARD_MS, GUARD_MS);
    while ((device->machine->state != state || device->machine->boot_count < boots) &&
           ticks < 10000 / GUARD_MS)
        uv_run(&sim->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&guard, NULL);
    uv_run(&sim->loop, UV_RUN_NOWAIT);
}

void sim_turn(struct sim *sim)
{
    unsigned ticks = 0;
    uv_timer_t guard;
    uv_timer_init(&sim->loop, &guard);
    guard.data = &ticks;
    uv_timer_start(&guard, on_guard, GUARD_MS, 0);
    uv_run(&sim->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&guard, NULL);
    uv_run(&sim->loop, UV_RUN_NOWAIT);
}

void sim_run_until_state(struct sim *sim, const struct device *device, enum machine_state state)
{
    run_until(sim, device, state, 0);
}

void sim_run_until_boot(struct sim *sim, const struct device *device, uint32_t count)
{
    run_until(sim, device, MACHINE_ON, count);
}

const char *sim_request(const char *action, const char *class_name, const char *header, const char *body)
{
    static char text[16384];
    const char *transfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer/";
    snprintf(text, sizeof(text),
             "<?xml version=\"1.0\" encoding=\"utf-8\"?><Envelope "
             "xmlns=\"http://www.w3.org/2003/05/soap-envelope\" "
             "xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
             "xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><Header><a:Action>%s%s</a:Action>"
             "<a:To>/wsman</a:To><w:ResourceURI>%s%s</w:ResourceURI><a:MessageID>7</a:MessageID>%s</Header>"
             "<Body>%s</Body></Envelope>",
             strchr(action, '/') != NULL ? "" : transfer, action, epr_namespace(class_name), class_name,
             header, body);
    return text;
}

int sim_ask(struct sim *sim, struct device *device, const char *request, const char **text)
{
    buf_reset(&sim->fleet->body);
    struct view body = {(const uint8_t *)request, strlen(request)};
    struct wsman_result result = wsman_answer(device, body, false, sim->realms, &sim->fleet->body);
    *text = buf_str(&sim->fleet->body);
    return result.status;
}

int sim_invoke(struct sim *sim, struct device *device, const char *class_name, const char *method,
               const char *body, const char **text)
{
    static char action[256], input[8192];
    const char *ns = epr_namespace(class_name);
    snprintf(action, sizeof(action), "%s%s/%s", ns, class_name, method);
    snprintf(input, sizeof(input), "<r:%s_INPUT xmlns:r=\"%s%s\">%s</r:%s_INPUT>", method, ns, class_name,
             body, method);
    return sim_ask(sim, device, sim_request(action, class_name, "", input), text);
}
