#include "tests/amtsim/alarms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"

#define ALARMS_MAX 5
#define ID_MAX     64

#define NS_COMMON "http://schemas.dmtf.org/wbem/wscim/1/common"

struct alarm {
    char id[ID_MAX]; /* "": free */
    char name[ID_MAX];
    int64_t at_ms;     /* device's wall clock */
    uint32_t interval; /* minutes; 0 once */
    bool delete_after;
};

struct alarms {
    uv_timer_t timer; /* first: freed in its close callback */
    struct device *device;
    struct alarm list[ALARMS_MAX];
};

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

void alarms_free(struct alarms *alarms)
{
    if (alarms != NULL)
        uv_close((uv_handle_t *)&alarms->timer, on_closed);
}

static void arm(struct alarms *a);

static void wake(struct device *d)
{
    if (d->machine != NULL && d->machine->state != MACHINE_ON)
        d->machine->ops->command(d->machine, MACHINE_POWER_ON);
}

static void on_timer(uv_timer_t *timer)
{
    struct alarms *a = (struct alarms *)timer;
    int64_t now = device_wall_ms(a->device);
    for (unsigned i = 0; i < ALARMS_MAX; i++) {
        struct alarm *alarm = &a->list[i];
        if (alarm->id[0] == '\0' || alarm->at_ms > now || (alarm->at_ms == 0))
            continue;
        wake(a->device);
        if (alarm->interval > 0)
            alarm->at_ms += (int64_t)alarm->interval * 60000;
        else if (alarm->delete_after)
            alarm->id[0] = '\0';
        else
            alarm->at_ms = 0; /* stays listed, never again */
    }
    arm(a);
}

/* Waits for the next alarm; at most an hour at once, because the device's clock may be set meanwhile. */
static void arm(struct alarms *a)
{
    int64_t now = device_wall_ms(a->device), wait = -1;
    for (unsigned i = 0; i < ALARMS_MAX; i++) {
        const struct alarm *alarm = &a->list[i];
        if (alarm->id[0] == '\0' || alarm->at_ms == 0)
            continue;
        int64_t ms = alarm->at_ms > now ? alarm->at_ms - now : 0;
        if (wait < 0 || ms < wait)
            wait = ms;
    }
    if (wait < 0)
        uv_timer_stop(&a->timer);
    else
        uv_timer_start(&a->timer, on_timer, wait < 3600000 ? (uint64_t)wait : 3600000, 0);
}

static struct alarms *alarms_of(struct device *d)
{
    if (d->alarms == NULL) {
        d->alarms = xcalloc(1, sizeof(*d->alarms));
        d->alarms->device = d;
        uv_timer_init(d->fleet->loop, &d->alarms->timer);
        uv_unref((uv_handle_t *)&d->alarms->timer);
    }
    return d->alarms;
}

/* --- instances --- */

static struct alarm *at(const struct device *d, unsigned i)
{
    for (unsigned k = 0; d->alarms != NULL && k < ALARMS_MAX; k++) {
        if (d->alarms->list[k].id[0] != '\0' && i-- == 0)
            return &d->alarms->list[k];
    }
    return NULL;
}

static unsigned count(const struct device *d)
{
    unsigned n = 0;
    while (at(d, n) != NULL)
        n++;
    return n;
}

static void occurrence(struct device *d, unsigned i, struct out *o)
{
    const struct alarm *a = at(d, i);
    out_bool(o, "DeleteOnCompletion", a->delete_after);
    out_str(o, "ElementName", a->name);
    out_str(o, "InstanceID", a->id);
    out_interval(o, "Interval", a->interval);
    out_time(o, "StartTime", a->at_ms);
}

static void remove_occurrence(struct call *c)
{
    at(c->device, c->instance)->id[0] = '\0';
    arm(c->device->alarms);
}

/* --- reading an alarm --- */

/* "2026-12-24T02:00:00Z" with or without fraction. */
static bool read_time(const char *text, int64_t *ms)
{
    struct tm tm = {0};
    char zone;
    if (text == NULL || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%c", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &zone) != 7)
        return false;
    if (tm.tm_year < 1970 || tm.tm_year > 9999 || tm.tm_mon < 1 || tm.tm_mon > 12)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

/* "P1DT2H30M": every part may be missing. */
static bool read_interval(const char *text, uint32_t *minutes)
{
    unsigned value = 0;
    bool digits = false;
    *minutes = 0;
    if (*text++ != 'P')
        return false;
    for (; *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9' && value < 100000) {
            value = value * 10 + (unsigned)(*text - '0');
            digits = true;
            continue;
        }
        if (*text != 'T') {
            uint32_t factor = *text == 'D' ? 1440 : *text == 'H' ? 60 : *text == 'M' ? 1 : 0;
            if (!digits || (factor == 0 && *text != 'S'))
                return false;
            *minutes += value * factor;
        }
        value = 0;
        digits = false;
    }
    return !digits;
}

static bool copy_text(struct call *c, struct xml_el in, const char *name, char out[ID_MAX])
{
    struct xml_el el = xml_child(in, NULL, name);
    if (el.node == NULL)
        return false;
    snprintf(out, ID_MAX, "%s", xml_text(c->message->doc, el));
    return out[0] != '\0';
}

static bool read_alarm(struct call *c, struct xml_el in, struct alarm *a)
{
    struct xml_doc *doc = c->message->doc;
    struct xml_el time = xml_child(xml_child(in, NULL, "StartTime"), NS_COMMON, "Datetime");
    struct xml_el every = xml_child(xml_child(in, NULL, "Interval"), NS_COMMON, "Interval");
    struct xml_el gone = xml_child(in, NULL, "DeleteOnCompletion");
    if (!copy_text(c, in, "InstanceID", a->id) || !read_time(xml_text(doc, time), &a->at_ms))
        return false;
    if (!copy_text(c, in, "ElementName", a->name))
        snprintf(a->name, sizeof(a->name), "%s", a->id);
    if (every.node != NULL && !read_interval(xml_text(doc, every), &a->interval))
        return false;
    a->delete_after = strcmp(xml_text(doc, gone), "true") == 0;
    return true;
}

static bool is_duplicate(const struct device *d, const char *id)
{
    for (unsigned i = 0; i < count(d); i++) {
        if (strcmp(at(d, i)->id, id) == 0)
            return true;
    }
    return false;
}

static uint32_t add_alarm(struct call *c)
{
    struct alarm a = {0};
    struct device *d = c->device;
    if (!read_alarm(c, xml_child(c->in, NULL, "AlarmTemplate"), &a) || is_duplicate(d, a.id) ||
        a.at_ms <= device_wall_ms(d)) {
        c->fault = SOAP_MISSING_VALUES;
        return RET_BAD_PARAMETER;
    }
    if (count(d) == ALARMS_MAX) {
        c->fault = SOAP_QUOTA_LIMIT;
        return RET_MAXIMUM;
    }
    struct alarms *alarms = alarms_of(d);
    unsigned i = 0;
    while (alarms->list[i].id[0] != '\0')
        i++;
    alarms->list[i] = a;
    arm(alarms);
    struct epr epr = {.class_name = "", .address = "default"};
    out_epr(c->out, "AlarmClock", &epr);
    return RET_OK;
}

static void put_occurrence(struct call *c)
{
    struct alarm a = {0};
    if (!read_alarm(c, c->in, &a) || a.at_ms <= device_wall_ms(c->device)) {
        c->fault = SOAP_INVALID_VALUES;
        return;
    }
    *at(c->device, c->instance) = a;
    arm(c->device->alarms);
}

static const char *const service[] = {"CreationClassName",
                                      "AMT_AlarmClockService",
                                      "ElementName",
                                      "Intel(r) AMT Alarm Clock Service",
                                      "Name",
                                      "Intel(r) AMT Alarm Clock Service",
                                      "SystemCreationClassName",
                                      "CIM_ComputerSystem",
                                      "SystemName",
                                      "ManagedSystem",
                                      NULL};

static const struct class_method methods[] = {{"AddAlarm", add_alarm}, {0}};

const struct class_row class_alarm_rows[] = {
    {.name = "AMT_AlarmClockService", .since = 8, .fixed = service, .methods = methods},
    {.name = "IPS_AlarmClockOccurrence",
     .since = 8,
     .datetime = true,
     .instance = occurrence,
     .count = count,
     .put = put_occurrence,
     .remove = remove_occurrence},
    {0},
};
