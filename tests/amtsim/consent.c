#include "tests/amtsim/consent.h"

#include <string.h>

#include "tests/amtsim/alerts.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"

#define TIMEOUT_LEAST 10 /* s; OptInCodeTimeout, OptInDisplayTimeout */
#define TIMEOUT_MOST  900
#define WRONG_MAX     3

enum { NOT_STARTED, REQUESTED, DISPLAYED, RECEIVED, IN_SESSION };

uint32_t consent_required(const struct device *d)
{
    return d->client_mode ? CONSENT_ALL : d->consent.required;
}

static void end(struct device *d)
{
    struct device_consent was = d->consent;
    d->consent =
        (struct device_consent){.required = was.required, .code_s = was.code_s, .screen_s = was.screen_s};
    alert_raise(d, ALERT_CONSENT_ENDED);
}

uint8_t consent_state(struct device *d)
{
    if (d->consent.state != NOT_STARTED && device_mono_ms(d) >= d->consent.until_ms)
        end(d);
    return d->consent.state;
}

bool consent_missing(struct device *d, bool redirection)
{
    uint32_t required = consent_required(d);
    return (required == CONSENT_ALL || (required == 1 && !redirection)) && consent_state(d) < RECEIVED;
}

void consent_session(struct device *d, bool open)
{
    if (open && consent_state(d) == RECEIVED) {
        d->consent.state = IN_SESSION;
        d->consent.until_ms = INT64_MAX;
    } else if (!open && d->consent.state == IN_SESSION && d->sessions[REDIR_SOL] == NULL &&
               d->sessions[REDIR_IDER] == NULL) {
        end(d);
    }
}

static void service(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_num(o, "CanModifyOptInPolicy", d->client_mode ? 0 : 1);
    out_str(o, "CreationClassName", "IPS_OptInService");
    out_str(o, "ElementName", "Intel(r) AMT OptIn Service");
    out_str(o, "Name", "Intel(r) AMT OptIn Service");
    out_num(o, "OptInCodeTimeout", d->consent.code_s);
    out_num(o, "OptInDisplayTimeout", d->consent.screen_s);
    out_num(o, "OptInRequired", consent_required(d));
    out_num(o, "OptInState", consent_state(d));
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

/* Seconds that are there must be within bounds. */
static void put_timeout(struct call *c, const char *name, uint16_t *to)
{
    uint64_t n;
    if (!call_num(c, name, UINT16_MAX, &n))
        return;
    if (n < TIMEOUT_LEAST || n > TIMEOUT_MOST)
        c->fault = SOAP_INVALID_VALUES;
    else
        *to = (uint16_t)n;
}

static void service_put(struct call *c)
{
    struct device_consent next = c->device->consent;
    uint64_t required = consent_required(c->device);
    call_num(c, "OptInRequired", UINT32_MAX, &required);
    put_timeout(c, "OptInCodeTimeout", &next.code_s);
    put_timeout(c, "OptInDisplayTimeout", &next.screen_s);
    if (required != 0 && required != 1 && required != CONSENT_ALL)
        c->fault = SOAP_INVALID_VALUES;
    else if (c->device->client_mode && required != CONSENT_ALL)
        c->fault = SOAP_ACCESS_DENIED;
    if (c->fault != SOAP_OK)
        return;
    if (!c->device->client_mode)
        next.required = (uint32_t)required;
    c->device->consent = next;
    alert_raise(c->device, ALERT_CONSENT_CHANGED);
}

static uint32_t start(struct call *c)
{
    struct device *d = c->device;
    if (consent_state(d) != NOT_STARTED)
        return 2;
    if (consent_required(d) == 0)
        return 2;
    d->consent.state = d->machine->state == MACHINE_ON ? DISPLAYED : REQUESTED;
    d->consent.code = (d->index * 7919u + d->message_id * 104729u + 123456u) % 1000000u;
    d->consent.wrong_codes = 0;
    d->consent.until_ms = device_mono_ms(d) + d->consent.screen_s * INT64_C(1000);
    alert_raise(d, ALERT_CONSENT_REQUESTED);
    return RET_OK;
}

static uint32_t cancel(struct call *c)
{
    if (consent_state(c->device) == NOT_STARTED)
        return 2;
    end(c->device);
    return RET_OK;
}

static uint32_t send_code(struct call *c)
{
    struct device *d = c->device;
    uint64_t code;
    if (!call_num(c, "OptInCode", 999999, &code))
        return RET_INVALID_PARAMETER;
    uint8_t state = consent_state(d);
    if (state != REQUESTED && state != DISPLAYED)
        return 2;
    if (code != d->consent.code) {
        if (++d->consent.wrong_codes >= WRONG_MAX)
            end(d);
        return 2;
    }
    d->consent.state = RECEIVED;
    d->consent.until_ms = device_mono_ms(d) + d->consent.code_s * INT64_C(1000);
    alert_raise(d, ALERT_CONSENT_GRANTED);
    return RET_OK;
}

static const char *const secio[] = {"CreationClassName",
                                    "IPS_SecIOService",
                                    "DefaultScreen",
                                    "0",
                                    "EnabledState",
                                    "2",
                                    "Name",
                                    "SecIO",
                                    "NumberOfScreens",
                                    "1",
                                    "RequestedLanguage",
                                    "0",
                                    "Started",
                                    "true",
                                    "Status",
                                    "OK",
                                    "SystemCreationClassName",
                                    "CIM_ComputerSystem",
                                    "SystemName",
                                    "ManagedSystem",
                                    "language",
                                    "0",
                                    "zoom",
                                    "65535",
                                    NULL};

static const struct class_method methods[] = {
    {"StartOptIn", start}, {"CancelOptIn", cancel}, {"SendOptInCode", send_code}, {0}};

const struct class_row class_consent_rows[] = {
    {.name = "IPS_OptInService", .since = 6, .instance = service, .put = service_put, .methods = methods},
    {.name = "IPS_SecIOService", .since = 8, .fixed = secio},
    {0},
};
