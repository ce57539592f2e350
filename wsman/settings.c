/* Reading, comparing and correcting, step by step. */
#include "wsman/settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "wsman/answer.h"
#include "wsman/settings_internal.h"

#define SETTLE_MS   2000 /* until new addresses hold */
#define DENIED_TEXT "the account that amtd logs in with may not read it"

enum step { READ, COMPARE, CHANGE, SETTLE, ARRIVE, LOOK };

static struct settings_seq *of(struct seq *seq)
{
    return (struct settings_seq *)seq;
}

static bool wants_any(const struct settings_seq *ss)
{
    for (int i = 0; i < SETTINGS; i++)
        if (ss->request.wanted[i])
            return true;
    return false;
}

/* --- comparing --- */

static bool equal(enum setting_id id, const char *is, const char *wanted)
{
    if (id == SETTING_CLOCK)
        return strtoll(is, NULL, 10) <= strtoll(wanted, NULL, 10);
    return settings[id].type == SETTING_IS_NAME ? strcasecmp(is, wanted) == 0 : strcmp(is, wanted) == 0;
}

bool settings_wrong(const struct settings_seq *ss, enum setting_id id)
{
    return ss->rows[id].state == SETTING_DIFFERS;
}

/* Whether it is as wanted nobody knows: that is no reason to call it so. */
static void deny(struct settings_seq *ss, size_t id)
{
    struct settings_row *row = &ss->rows[id];

    row->state = SETTING_REFUSED;
    xreplace(&row->why, DENIED_TEXT);
    if (ss->request.apply && ss->refused.cause == CAUSE_NONE)
        err_set(&ss->refused, CAUSE_ACCESS_DENIED, "%s.%s: %s", settings[id].section, settings[id].name,
                DENIED_TEXT);
}

static void compare(struct settings_seq *ss)
{
    for (int i = 0; i < SETTINGS; i++) {
        struct settings_row *row = &ss->rows[i];
        const char *wanted = ss->request.wanted[i];

        if (!row->is && wanted && (ss->denied & SETTING_BIT(i)))
            deny(ss, (size_t)i);
        else if (!row->is)
            row->state = SETTING_UNSUPPORTED;
        else if (!wanted || equal((enum setting_id)i, row->is, wanted))
            row->state = SETTING_SAME;
        else
            row->state = SETTING_DIFFERS;
    }
}

size_t settings_differ(const struct settings_seq *ss)
{
    size_t n = 0;

    for (int i = 0; i < SETTINGS; i++)
        n += ss->request.wanted[i] && (ss->rows[i].is || ss->rows[i].state == SETTING_REFUSED) &&
             ss->rows[i].state != SETTING_SAME;
    return n;
}

/* --- what cuts us off --- */

static bool ipv4(const char *text, uint32_t *out)
{
    struct in_addr address;

    if (!text || inet_pton(AF_INET, text, &address) != 1)
        return false;
    *out = ntohl(address.s_addr);
    return true;
}

static const char *will_be(const struct settings_seq *ss, enum setting_id id)
{
    return ss->request.wanted[id] ? ss->request.wanted[id] : ss->rows[id].is;
}

static bool is_wrong(const struct settings_seq *ss, enum setting_id id, const char *value)
{
    return settings_wrong(ss, id) && strcmp(ss->request.wanted[id], value) == 0;
}

static bool cuts_way_back(const struct settings_seq *ss, struct buf *why)
{
    uint32_t here, address, mask, gateway;

    if (!ipv4(ss->request.here, &here) || !ipv4(will_be(ss, SETTING_ADDRESS), &address) ||
        !ipv4(will_be(ss, SETTING_MASK), &mask) || ((here ^ address) & mask) == 0)
        return false;
    if (ipv4(will_be(ss, SETTING_GATEWAY), &gateway) && gateway != 0 && ((gateway ^ address) & mask) == 0)
        return false;
    buf_printf(why, "this server (%s) is in another network, and there would be no router to it",
               ss->request.here);
    return true;
}

static bool cuts_addresses(const struct settings_seq *ss, struct buf *why)
{
    const char *address = will_be(ss, SETTING_ADDRESS), *there = ss->request.there;
    bool any = settings_wrong(ss, SETTING_IPV4) || settings_wrong(ss, SETTING_ADDRESS) ||
               settings_wrong(ss, SETTING_MASK) || settings_wrong(ss, SETTING_GATEWAY);
    uint32_t unused;

    if (!any)
        return false;
    if (is_wrong(ss, SETTING_IPV4, "dhcp")) {
        buf_puts(why, "the device would have another address by DHCP than the one it is reached at");
        return true;
    }
    if (settings_wrong(ss, SETTING_ADDRESS) && ipv4(there, &unused) && strcmp(there, address) != 0) {
        buf_printf(why, "the device is reached at %s, and would be at %s", there, address);
        return true;
    }
    return cuts_way_back(ss, why);
}

static bool is_ipv6(const char *text, struct in6_addr *out)
{
    return text && inet_pton(AF_INET6, text, out) == 1;
}

bool settings_leave_ipv6(const struct settings_seq *ss)
{
    struct in6_addr there, is;

    return settings_wrong(ss, SETTING_IPV6_ADDRESS) && is_ipv6(ss->request.there, &there) &&
           is_ipv6(ss->rows[SETTING_IPV6_ADDRESS].is, &is) && memcmp(&there, &is, sizeof(is)) == 0;
}

static bool cuts_ipv6(const struct settings_seq *ss, struct buf *why)
{
    const char *there = ss->request.there;

    if (is_wrong(ss, SETTING_IPV6, "off") && there && strchr(there, ':')) {
        buf_printf(why, "the device is reached by IPv6, at %s", there);
        return true;
    }
    if (!settings_leave_ipv6(ss))
        return false;
    buf_printf(why, "the device is reached at %s, and would be at %s", there,
               ss->request.wanted[SETTING_IPV6_ADDRESS]);
    return true;
}

/* Which frames the switch takes from the machine, and which network they come into, cannot be known here. */
static bool cuts_vlan(const struct settings_seq *ss, struct buf *why)
{
    if (!settings_wrong(ss, SETTING_VLAN))
        return false;
    buf_printf(why, "the device would be in another virtual network (VLAN %s instead of %s)",
               ss->request.wanted[SETTING_VLAN], ss->rows[SETTING_VLAN].is);
    return true;
}

/* With DHCP, AMT registers its name, and somebody reaches it by that. */
static bool cuts_name(const struct settings_seq *ss, struct buf *why)
{
    const char *name = ss->request.known_as, *is = ss->rows[SETTING_HOST_NAME].is;
    size_t n = name ? strcspn(name, ".") : 0;

    if (!settings_wrong(ss, SETTING_HOST_NAME) || n == 0 || strlen(is) != n || strncasecmp(name, is, n) != 0)
        return false;
    buf_printf(why, "the device is reached by its name, %s, and would have another one", name);
    return true;
}

/* Addresses that are no network: firmware may take them, and is not heard of again. */
static bool is_nowhere(const struct settings_seq *ss, struct buf *why)
{
    uint32_t address, mask, gateway;

    if (!(settings_wrong(ss, SETTING_ADDRESS) || settings_wrong(ss, SETTING_MASK) ||
          settings_wrong(ss, SETTING_GATEWAY)) ||
        !ipv4(will_be(ss, SETTING_ADDRESS), &address) || !ipv4(will_be(ss, SETTING_MASK), &mask))
        return false;
    if (mask < UINT32_MAX - 1 && ((address & ~mask) == 0 || (address & ~mask) == ~mask)) {
        buf_printf(why, "%s is not an address of a machine in a network of mask %s",
                   will_be(ss, SETTING_ADDRESS), will_be(ss, SETTING_MASK));
        return true;
    }
    if (!ipv4(will_be(ss, SETTING_GATEWAY), &gateway) || gateway == 0 || ((gateway ^ address) & mask) == 0)
        return false;
    buf_printf(why, "the router %s is not in the network of %s with mask %s", will_be(ss, SETTING_GATEWAY),
               will_be(ss, SETTING_ADDRESS), will_be(ss, SETTING_MASK));
    return true;
}

bool settings_cut(const struct settings_seq *ss, struct buf *why)
{
    const char *wired = ss->rows[SETTING_ADDRESS].is, *there = ss->request.there;
    uint32_t a, b;

    if (is_wrong(ss, SETTING_SLEEP, "off")) {
        buf_puts(why, "the device would not answer while the machine sleeps or is off, nor switch it on");
        return true;
    }
    if ((settings_wrong(ss, SETTING_WIRELESS) || settings_wrong(ss, SETTING_LINK_POLICY)) &&
        !(ipv4(wired, &a) && ipv4(there, &b) && a == b)) {
        buf_puts(why, "the device may be reached by its wireless port");
        return true;
    }
    return cuts_ipv6(ss, why) || cuts_vlan(ss, why) || cuts_name(ss, why) || cuts_addresses(ss, why);
}

/* --- reading --- */

static bool is_needed(const struct settings_seq *ss, size_t part)
{
    uint64_t of_part = settings_parts[part].settings;

    if (ss->again) /* only what was changed */
        return (of_part & ss->sent & ~ss->judged) != 0;
    of_part |= settings_parts[part].besides;
    if (!wants_any(ss))
        return true;
    for (int i = 0; i < SETTINGS; i++)
        if (ss->request.wanted[i] && (of_part & SETTING_BIT(i)))
            return true;
    return false;
}

static struct wsman_request *ask_read(struct seq *seq, struct err *err)
{
    struct settings_seq *ss = of(seq);

    (void)err;
    while (ss->part < SETTINGS_PARTS && !is_needed(ss, ss->part))
        ss->part++;
    if (ss->part == SETTINGS_PARTS) {
        seq_go(seq, ss->again ? LOOK : COMPARE);
        return NULL;
    }
    seq->note = settings_parts[ss->part].name;
    return settings_parts[ss->part].ask(ss);
}

/* What comes back is read into place of what was there before. */
static void forget(struct settings_seq *ss, uint64_t bits)
{
    for (int i = 0; i < SETTINGS; i++)
        if (bits & SETTING_BIT(i))
            settings_tell(ss, (enum setting_id)i, NULL);
}

/* Whether the device is there at all, and lets us in, the first answer showed. */
static bool is_absent(const struct err *err)
{
    return wsman_fault_is_absent(err) || err->cause == CAUSE_UNSUPPORTED || err->cause == CAUSE_ACCESS_DENIED;
}

static bool is_gone(enum cause cause)
{
    return cause_is_passing(cause) || cause == CAUSE_UNREACHABLE || cause == CAUSE_REFUSED;
}

/* Neither where it should be nor where it was: nothing can be sent to it, so what to do is said. */
static void lost(const struct settings_seq *ss, struct err *err)
{
    const char *was = ss->request.there ? ss->request.there : "where it was";
    struct err why = *err;

    if (ss->moved_to[0])
        err_set(err, CAUSE_NOT_REACHED,
                "the device is lost to us since its addresses were changed: it does not answer at %s, nor at "
                "%s any "
                "more (%s). If it is at %s: open the way there, then amtcli host set HOST --address %s; else "
                "set its "
                "network back at the machine",
                ss->moved_to, was, why.text, ss->moved_to, ss->moved_to);
    else
        err_set(err, CAUSE_NOT_REACHED,
                "the device is lost to us since its network settings were changed: it does not answer at %s "
                "any more "
                "(%s). By DHCP it may be elsewhere: amtcli discover finds it by its UUID; else set its "
                "network back at "
                "the machine",
                was, why.text);
}

static int hear_read(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct settings_seq *ss = of(seq);
    const struct settings_part_row *part = &settings_parts[ss->part];

    if (!call && ss->path && is_gone(err->cause)) {
        lost(ss, err);
        return SEQ_FAIL;
    }
    if (!call && !is_absent(err))
        return SEQ_FAIL;
    if (!call && err->cause == CAUSE_ACCESS_DENIED && !wsman_fault_is_absent(err))
        ss->denied |= part->settings;
    if (call && ss->again)
        forget(ss, part->settings & ss->sent & ~ss->judged);
    if (call)
        part->take(ss, call);
    ss->part++;
    return READ;
}

static struct wsman_request *ask_compare(struct seq *seq, struct err *err)
{
    struct settings_seq *ss = of(seq);
    struct buf why = buf_init(400);

    compare(ss);
    ss->compared = true;
    if (!ss->request.apply || settings_differ(ss) == 0)
        seq_go(seq, SEQ_DONE);
    else if (is_nowhere(ss, &why))
        err_set(err, CAUSE_INVALID_ARGUMENT, "nothing was changed: %s", buf_str(&why));
    else if (!ss->request.force && settings_cut(ss, &why))
        err_set(err, CAUSE_INVALID_ARGUMENT, "nothing was changed: %s (see --force)", buf_str(&why));
    for (int i = 0; i < SETTINGS; i++)
        if (ss->rows[i].is)
            xreplace(&ss->rows[i].was, ss->rows[i].is);
    buf_free(&why);
    return NULL;
}

/* --- changing --- */

static bool any_wrong(const struct settings_seq *ss, uint64_t bits)
{
    for (int i = 0; i < SETTINGS; i++)
        if ((bits & SETTING_BIT(i)) && settings_wrong(ss, (enum setting_id)i))
            return true;
    return false;
}

/* Of the settings that the device does not take, the first is what the operation ends with; the others go on,
 * but the way to the device is then left alone. */
static void refuse(struct settings_seq *ss, const struct settings_change_row *change, const struct err *err)
{
    bool absent = wsman_fault_is_absent(err) || err->cause == CAUSE_UNSUPPORTED;

    for (int i = 0; i < SETTINGS; i++) {
        struct settings_row *row = &ss->rows[i];

        if (!(change->settings & SETTING_BIT(i)) || row->state != SETTING_DIFFERS)
            continue;
        row->state = absent ? SETTING_UNSUPPORTED : SETTING_REFUSED;
        xreplace(&row->why, err->text);
    }
    if (!absent && ss->refused.cause == CAUSE_NONE)
        ss->refused = *err;
}

/* Which address this change takes the device to; NULL: none, or not known. One that is reached by IPv6 and
 * stays there is still to be seen at its new IPv4 address: that shows the change was good. */
static const char *moves_to(const struct settings_seq *ss, const struct settings_change_row *change)
{
    enum setting_id id = change->moves;
    bool by_ipv6 = settings_leave_ipv6(ss);

    if (id == SETTINGS || (id == SETTING_IPV6_ADDRESS) != by_ipv6)
        return NULL;
    if (id == SETTING_ADDRESS && is_wrong(ss, SETTING_IPV4, "dhcp"))
        return ss->request.expected;
    return settings_wrong(ss, id) && strcmp(ss->request.wanted[id], "none") != 0 ? ss->request.wanted[id]
                                                                                 : NULL;
}

const char *settings_destination(const struct settings_seq *ss)
{
    const char *to = NULL;

    for (size_t i = 0; i < settings_change_count && !to; i++)
        to = moves_to(ss, &settings_changes[i]);
    return to && ss->request.there && strcmp(to, ss->request.there) == 0 ? NULL : to;
}

/* Before a device goes to another address: whether somebody is there already. */
static bool looks_first(struct settings_seq *ss, const struct settings_change_row *change)
{
    const char *address = moves_to(ss, change);

    if (!address || ss->moved_to[0] || (ss->request.there && strcmp(address, ss->request.there) == 0))
        return false;
    snprintf(ss->moved_to, sizeof(ss->moved_to), "%s", address);
    seq_hold(&ss->seq);
    seq_go(&ss->seq, CHANGE);
    return true;
}

static bool is_taken(const struct settings_seq *ss, const struct settings_change_row *change, struct err *err)
{
    if (!moves_to(ss, change) || !ss->seen)
        return false;
    err_set(err, CAUSE_EXISTS, "somebody else answers at %s already", ss->moved_to);
    return true;
}

static struct wsman_request *ask_change(struct seq *seq, struct err *err)
{
    struct settings_seq *ss = of(seq);

    for (; ss->change < settings_change_count; ss->change++) {
        const struct settings_change_row *change = &settings_changes[ss->change];
        struct wsman_request *rq;

        if (!any_wrong(ss, change->settings) || (change->path && ss->refused.cause != CAUSE_NONE))
            continue;
        if (change->path && !ss->path && (ss->sent & ~ss->judged))
            break; /* what went before is read back while the way there is the old one */
        if (looks_first(ss, change))
            return NULL;
        rq = is_taken(ss, change, err) ? NULL : change->ask(ss, err);
        if (!rq && err->cause != CAUSE_NONE) {
            refuse(ss, change, err);
            err_clear(err);
        }
        if (!rq)
            continue;
        ss->sent |= change->settings;
        seq->note = change->name;
        return rq;
    }
    seq_go(seq, SETTLE);
    return NULL;
}

static int judge_change(const struct wsman_call *call, struct err *err)
{
    const struct wsman_request *rq = wsman_call_request(call);

    return wsman_request_verb(rq) == WSMAN_INVOKE
               ? wsman_return_value_to_err(wsman_request_class(rq), wsman_request_method(rq),
                                           wsman_call_return_value(call), err)
               : 0;
}

static int hear_change(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct settings_seq *ss = of(seq);
    const struct settings_change_row *change = &settings_changes[ss->change];
    bool lost = !call && cause_is_passing(err->cause);

    if (lost && !change->path)
        return SEQ_FAIL;
    if (!lost && (!call || judge_change(call, err) != 0))
        refuse(ss, change, err);
    else if (change->path) /* the answer may have been lost with the address */
        ss->path = true;
    ss->change++;
    return CHANGE;
}

/* --- reading back --- */

static void read_back(struct settings_seq *ss)
{
    ss->again = true;
    ss->part = 0;
    seq_go(&ss->seq, READ);
}

static struct wsman_request *ask_settle(struct seq *seq, struct err *err)
{
    struct settings_seq *ss = of(seq);

    (void)err;
    if (!ss->path) {
        read_back(ss);
        return NULL;
    }
    ss->moving = true;
    seq_wait(seq, SETTLE_MS);
    seq_hold(seq);
    seq_go(seq, ARRIVE);
    return NULL;
}

/* At its new address it is not asked here: that it answers there is what was to be seen. */
static struct wsman_request *ask_arrive(struct seq *seq, struct err *err)
{
    struct settings_seq *ss = of(seq);

    (void)err;
    if (!ss->moved_to[0] || !ss->seen || ss->put_back) {
        read_back(ss);
        return NULL;
    }
    for (int i = 0; i < SETTINGS; i++)
        if ((ss->sent & ~ss->judged & SETTING_BIT(i)) && settings_wrong(ss, (enum setting_id)i))
            settings_tell(ss, (enum setting_id)i, ss->request.wanted[i]);
    return NULL;
}

static void judge_row(struct settings_seq *ss, enum setting_id id)
{
    struct settings_row *row = &ss->rows[id];
    const char *wanted = ss->request.wanted[id];

    if (row->is && equal(id, row->is, wanted)) {
        row->state = SETTING_CHANGED;
        return;
    }
    row->state = SETTING_REFUSED;
    xreplace(&row->why, "the device took it, and says otherwise");
    if (ss->refused.cause == CAUSE_NONE)
        err_set(&ss->refused, CAUSE_INVALID_VALUE, "%s.%s: the device took '%s', and says '%s'",
                settings[id].section, settings[id].name, wanted, row->is ? row->is : "nothing");
}

/* It answers where it was, and not where it should be: what was changed of the way to it is changed back. */
static bool puts_back(struct settings_seq *ss)
{
    uint64_t back = 0;

    if (!ss->moved_to[0] || ss->seen || ss->put_back)
        return false;
    for (size_t i = 0; i < settings_change_count; i++)
        back |= settings_changes[i].path ? settings_changes[i].settings & ss->sent : 0;
    for (int i = 0; i < SETTINGS; i++) {
        struct settings_row *row = &ss->rows[i];

        if (!(back & SETTING_BIT(i)) || !ss->request.wanted[i] || !row->was || row->state != SETTING_DIFFERS)
            continue;
        ss->meant[i] = ss->request.wanted[i];
        ss->request.wanted[i] = row->was;
    }
    ss->sent &= ~back;
    ss->judged &= ~back;
    ss->change = 0;
    ss->put_back = true;
    return true;
}

/* What was wanted is told, and that it is not so. */
static void tell_put_back(struct settings_seq *ss)
{
    bool whole = true;

    for (int i = 0; i < SETTINGS; i++) {
        struct settings_row *row = &ss->rows[i];

        if (!ss->meant[i])
            continue;
        whole = whole && row->is && equal((enum setting_id)i, row->is, row->was);
        ss->request.wanted[i] = ss->meant[i];
        row->state = SETTING_REFUSED;
        xreplace(&row->why, "the device did not come to its new address: what was before was put back");
    }
    err_set(&ss->refused, CAUSE_NOT_REACHED, "the device did not come to %s, and answers at %s still: %s",
            ss->moved_to, ss->request.there ? ss->request.there : "its old address",
            whole ? "its addresses were put back to what they were before"
                  : "what it has now is not what it had before; look at it with amtcli config show");
}

static struct wsman_request *ask_look(struct seq *seq, struct err *err)
{
    struct settings_seq *ss = of(seq);

    if (puts_back(ss)) {
        seq_go(seq, CHANGE);
        return NULL;
    }
    for (int i = 0; i < SETTINGS; i++)
        if ((ss->sent & ~ss->judged & SETTING_BIT(i)) && settings_wrong(ss, (enum setting_id)i))
            judge_row(ss, (enum setting_id)i);
    ss->judged |= ss->sent;
    if (ss->change < settings_change_count) {
        seq_go(seq, CHANGE);
        return NULL;
    }
    for (int i = 0; i < SETTINGS; i++) {
        if (!settings_wrong(ss, (enum setting_id)i))
            continue;
        ss->rows[i].state = SETTING_REFUSED;
        xreplace(&ss->rows[i].why, "left alone after what went wrong before");
    }
    if (ss->put_back)
        tell_put_back(ss);
    if (ss->refused.cause != CAUSE_NONE)
        *err = ss->refused;
    return NULL;
}

static const struct seq_step steps[] = {
    [READ] = {"read settings", SEQ_READ | SEQ_FAILURE_OK, ask_read, hear_read},
    [COMPARE] = {"compare", SEQ_READ, ask_compare, NULL},
    [CHANGE] = {"change settings", SEQ_CHANGE | SEQ_FAILURE_OK, ask_change, hear_change},
    [SETTLE] = {"let it settle", SEQ_READ, ask_settle, NULL},
    [ARRIVE] = {"see that it is there", SEQ_READ, ask_arrive, NULL},
    [LOOK] = {"read back", SEQ_READ, ask_look, NULL},
};

void settings_seq_init(struct settings_seq *ss, const struct settings_request *request)
{
    settings_seq_clear(ss);
    memset(ss, 0, sizeof(*ss));
    seq_init(&ss->seq, SEQ_TABLE(steps));
    ss->request = *request;
}

void settings_seq_clear(struct settings_seq *ss)
{
    for (int i = 0; i < SETTINGS; i++) {
        free(ss->rows[i].was);
        free(ss->rows[i].is);
        free(ss->rows[i].why);
        ss->rows[i] = (struct settings_row){0};
    }
    for (size_t i = 0; i < sizeof(ss->puts) / sizeof(ss->puts[0]); i++) {
        wsman_request_free(ss->puts[i]);
        ss->puts[i] = NULL;
    }
}
