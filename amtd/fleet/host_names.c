#include "amtd/fleet/host_names.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>
#include <utlist.h>

#include "base/buf.h"
#include "base/xalloc.h"

#define ADDRESSES_MAX 65536

struct lookup;

struct entry {
    char *name;
    char *addresses; /* NULL: none, or not known yet */
    struct err failure;
    bool known;
    struct lookup *lookup; /* under way, or NULL */
    struct host_names *names;
    UT_hash_handle hh;
};

/* Outlives its names where these are freed meanwhile. */
struct lookup {
    uv_getaddrinfo_t req;
    struct entry *entry; /* NULL: nobody wants to know any more */
};

struct host_names {
    struct entry *table;
    size_t unknown; /* asked for and not known */
    struct host_names_wait *waits;
    bool telling; /* somebody hears that his wait is over, and may free all of this */
    bool over;    /* ... which is done when he has heard */
};

struct host_names *host_names_new(void)
{
    return xcalloc(1, sizeof(struct host_names));
}

void host_names_free(struct host_names *names)
{
    struct entry *entry, *next;

    if (!names)
        return;
    names->over = true;
    names->waits = NULL;
    if (names->telling)
        return;
    HASH_ITER(hh, names->table, entry, next)
    {
        if (entry->lookup)
            entry->lookup->entry = NULL;
        HASH_DEL(names->table, entry);
        free(entry->name);
        free(entry->addresses);
        free(entry);
    }
    free(names);
}

/* --- asking --- */

const char *host_names_get(struct host_names *names, const char *name, struct err *err)
{
    struct entry *entry;

    HASH_FIND_STR(names->table, name, entry);
    if (!entry) {
        entry = xcalloc(1, sizeof(*entry));
        entry->name = xstrdup(name);
        entry->names = names;
        err_set(&entry->failure, CAUSE_NAME_UNKNOWN, "host name '%s' is not looked up yet", name);
        HASH_ADD_KEYPTR(hh, names->table, entry->name, strlen(entry->name), entry);
        names->unknown++;
    }
    if (!entry->addresses && err)
        *err = entry->failure;
    return entry->addresses;
}

bool host_names_lack(const struct host_names *names)
{
    return names->unknown > 0;
}

/* --- looking up --- */

static void tell(struct host_names *names)
{
    struct host_names_wait *wait;

    if (names->telling)
        return;
    names->telling = true;
    while (names->unknown == 0 && (wait = names->waits) != NULL) {
        host_names_leave(names, wait);
        wait->done(wait->arg);
    }
    names->telling = false;
    if (names->over)
        host_names_free(names);
}

static void keep_addresses(struct entry *entry, const struct addrinfo *list)
{
    struct buf text = buf_init(ADDRESSES_MAX);

    for (; list; list = list->ai_next) {
        char address[NI_MAXHOST];

        /* an address with a scope means nothing elsewhere */
        if (getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST) ==
                0 &&
            !strchr(address, '%'))
            buf_printf(&text, "%s%s", text.len > 0 ? " " : "", address);
    }
    if (text.len > 0 && buf_ok(&text))
        entry->addresses = buf_take(&text);
    else
        err_set(&entry->failure, CAUSE_NAME_UNKNOWN, "host name '%s' has no address", entry->name);
    buf_free(&text);
}

static void is_known(struct entry *entry, int status, const struct addrinfo *list)
{
    entry->known = true;
    entry->lookup = NULL;
    entry->names->unknown--;
    if (status == 0)
        keep_addresses(entry, list);
    else
        err_set(&entry->failure, CAUSE_NAME_UNKNOWN, "host name '%s': %s", entry->name, uv_strerror(status));
}

static void looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct lookup *lookup = req->data;
    struct entry *entry = lookup->entry;

    if (entry) {
        is_known(entry, status, list);
        tell(entry->names);
    }
    uv_freeaddrinfo(list);
    free(lookup);
}

static void look_up(struct entry *entry, uv_loop_t *loop)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct lookup *lookup = xcalloc(1, sizeof(*lookup));
    int status;

    lookup->entry = entry;
    lookup->req.data = lookup;
    entry->lookup = lookup;
    status = uv_getaddrinfo(loop, &lookup->req, looked_up, entry->name, NULL, &hints);
    if (status != 0) {
        is_known(entry, status, NULL);
        free(lookup);
    }
}

void host_names_look(struct host_names *names, uv_loop_t *loop, struct host_names_wait *wait)
{
    struct entry *entry, *next;

    wait->waits = true;
    DL_APPEND(names->waits, wait);
    HASH_ITER(hh, names->table, entry, next)
    {
        if (!entry->known && !entry->lookup)
            look_up(entry, loop);
    }
    tell(names);
}

void host_names_leave(struct host_names *names, struct host_names_wait *wait)
{
    if (!wait->waits)
        return;
    DL_DELETE(names->waits, wait);
    wait->waits = false;
}

json_t *host_names_json(const struct host_names *names)
{
    json_t *json = json_object();
    struct entry *entry, *next;

    HASH_ITER(hh, names->table, entry, next)
    {
        if (entry->addresses)
            json_object_set_new(json, entry->name, json_string(entry->addresses));
    }
    return json;
}
