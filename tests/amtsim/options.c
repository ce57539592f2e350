#include "tests/amtsim/options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "tests/amtsim/machine_kinds.h"
#include "tests/amtsim/scripted_console.h"

#define DEVICES_MAX      1000000
#define DEFAULT_PASSWORD "P@ssw0rd1"

static int bad(struct err *err, const char *option, const char *value, const char *expected)
{
    return err_set(err, CAUSE_INVALID_ARGUMENT, "--%s '%s': expected %s", option, value, expected);
}

static int number(const char *option, const char *value, uint64_t min, uint64_t max, uint64_t *out,
                  struct err *err)
{
    char expected[64];
    if (text_u64(value, min, max, out))
        return 0;
    snprintf(expected, sizeof(expected), "a number from %llu to %llu", (unsigned long long)min,
             (unsigned long long)max);
    return bad(err, option, value, expected);
}

static int set_devices(struct options *o, const char *value, struct err *err)
{
    uint64_t n = 0;
    int r = number("devices", value, 1, DEVICES_MAX, &n, err);
    o->devices = (uint32_t)n;
    return r;
}

static int set_address(struct options *o, const char *value, struct err *err)
{
    struct in_addr a;
    if (inet_pton(AF_INET, value, &a) != 1 || ntohl(a.s_addr) >> 24 != 127)
        return bad(err, "address", value, "an address in 127.0.0.0/8");
    o->address = ntohl(a.s_addr);
    return 0;
}

static int set_port(struct options *o, const char *value, struct err *err)
{
    uint64_t n = 0;
    int r = number("port-base", value, 1024, 65000, &n, err);
    o->port = (uint16_t)n;
    return r;
}

static int set_rmcp_port(struct options *o, const char *value, struct err *err)
{
    uint64_t n = 0;
    int r = number("rmcp-port", value, 1, UINT16_MAX, &n, err);
    o->rmcp_port = (uint16_t)n;
    return r;
}

static int set_trap_port(struct options *o, const char *value, struct err *err)
{
    uint64_t n = 0;
    int r = number("trap-port", value, 1, UINT16_MAX, &n, err);
    o->trap_port = (uint16_t)n;
    return r;
}

static int set_user(struct options *o, const char *value, struct err *err)
{
    if (value[0] == '\0' || strlen(value) > 16 || strpbrk(value, "(),:\"&<>") != NULL)
        return bad(err, "user", value, "1 to 16 characters without ( ) , : \" & < >");
    o->user = value;
    return 0;
}

static int set_password(struct options *o, const char *value, struct err *err)
{
    secret_free(o->password);
    o->password = secret_from_file(value, err);
    return o->password != NULL ? 0 : -1;
}

static int set_generation(struct options *o, const char *value, struct err *err)
{
    uint64_t n = 0;
    if (text_u64(value, 0, 255, &n) && generation_by_number((unsigned)n) != NULL) {
        o->generation = generation_by_number((unsigned)n);
        return 0;
    }
    return bad(err, "generation", value, "2, 5, 6, 9, 11, 16 or 21");
}

static int set_tls(struct options *o, const char *value, struct err *err)
{
    int i = fault_name_find(device_tls_names, value);
    if (i < 0)
        return bad(err, "tls", value, "none, server or mutual");
    o->tls = (enum device_tls)i;
    return 0;
}

static int set_machine(struct options *o, const char *value, struct err *err)
{
    if (!machine_kind_known(value))
        return bad(err, "machine", value, machine_kind_list());
    o->machine = value;
    return 0;
}

static int set_seed(struct options *o, const char *value, struct err *err)
{
    return number("seed", value, 0, UINT64_MAX, &o->seed, err);
}

/* "1-5", "0.05-0.2", "0": seconds, with up to three decimals. */
static bool seconds(const char **p, int64_t *ms)
{
    int64_t value = 0, scale = 1000;
    const char *start = *p;
    for (; **p >= '0' && **p <= '9' && value < 100000; (*p)++)
        value = value * 10 + (**p - '0');
    value *= 1000;
    if (**p == '.') {
        for ((*p)++; **p >= '0' && **p <= '9' && scale > 1; (*p)++)
            value += (**p - '0') * (scale /= 10);
    }
    *ms = value;
    return *p > start;
}

static int set_power_seconds(struct options *o, const char *value, struct err *err)
{
    const char *p = value;
    bool ok = seconds(&p, &o->power_min_ms);
    o->power_max_ms = o->power_min_ms;
    if (ok && *p == '-') {
        p++;
        ok = seconds(&p, &o->power_max_ms);
    }
    if (!ok || *p != '\0' || o->power_max_ms < o->power_min_ms || o->power_max_ms > 3600000)
        return bad(err, "power-seconds", value, "MIN-MAX seconds, such as 1-5 or 0.05-0.2");
    return 0;
}

static int duration(const char *option, const char *value, int64_t *ms, struct err *err)
{
    if (text_duration_ms(value, 1, 86400000, ms))
        return 0;
    return bad(err, option, value, "a time from 1ms to 1d, such as 90s");
}

static int set_nonce(struct options *o, const char *value, struct err *err)
{
    return duration("nonce-life", value, &o->nonce_ms, err);
}

static int set_idle(struct options *o, const char *value, struct err *err)
{
    return duration("idle", value, &o->idle_ms, err);
}

static int set_context(struct options *o, const char *value, struct err *err)
{
    return duration("context-life", value, &o->context_ms, err);
}

static int set_lockout(struct options *o, const char *value, struct err *err)
{
    char count[8];
    uint64_t n;
    const char *colon = strchr(value, ':');
    snprintf(count, sizeof(count), "%.*s", colon != NULL ? (int)(colon - value) : 0, value);
    if (strcmp(value, "off") == 0) {
        o->lock_count = 0;
        return 0;
    }
    if (colon == NULL || !text_u64(count, 1, 200, &n) ||
        !text_duration_ms(colon + 1, 1, 86400000, &o->lock_ms))
        return bad(err, "lockout", value, "COUNT:TIME such as 5:30s, or off");
    o->lock_count = (uint32_t)n;
    return 0;
}

static int set_connections(struct options *o, const char *value, struct err *err)
{
    uint64_t n = 0;
    int r = number("connections", value, 1, 200, &n, err);
    o->connections = (uint32_t)n;
    return r;
}

static int set_console_rate(struct options *o, const char *value, struct err *err)
{
    uint64_t n = 0;
    int r = number("console-rate", value, 0, 1000000000, &n, err);
    o->console_rate = (uint32_t)n;
    return r;
}

static int set_log_level(struct options *o, const char *value, struct err *err)
{
    static const char *const names[] = {"err", "warn", "info", "debug", NULL};
    int i = fault_name_find(names, value);
    if (i < 0)
        return bad(err, "log-level", value, "err, warn, info or debug");
    o->log_level = (enum log_level)i;
    return 0;
}

static int set_scenario(struct options *o, const char *value, struct err *err)
{
    (void)err;
    o->scenario = value;
    return 0;
}

static int set_control(struct options *o, const char *value, struct err *err)
{
    (void)err;
    o->control = value;
    return 0;
}

static int set_tls_dir(struct options *o, const char *value, struct err *err)
{
    (void)err;
    o->tls_dir = value;
    return 0;
}

static int set_kerberos_sids(struct options *o, const char *value, struct err *err)
{
    (void)err;
    o->kerberos_sids = value;
    return 0;
}

static int set_image(struct options *o, const char *value, struct err *err)
{
    (void)err;
    o->image_dir = value;
    return 0;
}

static int set_anonymous(struct options *o, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    o->anonymous_identify = true;
    return 0;
}

static int set_help(struct options *o, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    o->help = true;
    return 0;
}

static int set_version(struct options *o, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    o->version = true;
    return 0;
}

static const struct {
    const char *name;
    bool argument;
    int (*set)(struct options *o, const char *value, struct err *err);
} table[] = {
    {"devices", true, set_devices},
    {"address", true, set_address},
    {"port-base", true, set_port},
    {"rmcp-port", true, set_rmcp_port},
    {"trap-port", true, set_trap_port},
    {"user", true, set_user},
    {"password-file", true, set_password},
    {"generation", true, set_generation},
    {"tls", true, set_tls},
    {"tls-dir", true, set_tls_dir},
    {"kerberos-sids", true, set_kerberos_sids},
    {"scenario", true, set_scenario},
    {"control", true, set_control},
    {"machine", true, set_machine},
    {"image", true, set_image},
    {"seed", true, set_seed},
    {"power-seconds", true, set_power_seconds},
    {"nonce-life", true, set_nonce},
    {"idle", true, set_idle},
    {"context-life", true, set_context},
    {"lockout", true, set_lockout},
    {"connections", true, set_connections},
    {"console-rate", true, set_console_rate},
    {"anonymous-identify", false, set_anonymous},
    {"log-level", true, set_log_level},
    {"help", false, set_help},
    {"version", false, set_version},
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

void options_defaults(struct options *o)
{
    *o = (struct options){
        .devices = 1,
        .address = 0x7f100001,
        .port = 16992,
        .trap_port = 162,
        .user = "admin",
        .generation = generation_by_number(16),
        .machine = "scripted",
        .seed = 1,
        .power_min_ms = 1000,
        .power_max_ms = 5000,
        .nonce_ms = 300000,
        .idle_ms = 30000,
        .context_ms = 60000,
        .lock_count = 5,
        .lock_ms = 30000,
        .connections = 4,
        .console_rate = SCRIPTED_RATE,
        .log_level = LOG_LEVEL_INFO,
    };
    o->password = secret_new(DEFAULT_PASSWORD, strlen(DEFAULT_PASSWORD));
}

int options_parse(struct options *o, int argc, char **argv, struct err *err)
{
    struct option longs[OPTIONS + 1] = {0};
    int i, c;
    options_defaults(o);
    for (size_t k = 0; k < OPTIONS; k++)
        longs[k] =
            (struct option){table[k].name, table[k].argument ? required_argument : no_argument, NULL, 0};
    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", longs, &i)) != -1) {
        if (c != 0)
            return err_set(err, CAUSE_INVALID_ARGUMENT,
                           "'%s' is no option, or lacks its value; see amtsim --help", argv[optind - 1]);
        if (table[i].set(o, optarg, err) != 0)
            return -1;
    }
    if (optind < argc)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is not expected; see amtsim --help", argv[optind]);
    if (o->address + (uint64_t)o->devices - 1 > 0x7ffffffe)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "--devices %u: the last one lies behind 127.255.255.254",
                       o->devices);
    return 0;
}

void options_clear(struct options *o)
{
    secret_free(o->password);
    o->password = NULL;
}
