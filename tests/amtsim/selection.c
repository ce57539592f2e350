#include "tests/amtsim/selection.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hostlist.h"
#include "base/text.h"
#include "base/xalloc.h"

#define ITEM_MAX 64

static void add(struct selection *s, struct device *d)
{
    if ((s->count & (s->count - 1)) == 0)
        s->devices = xreallocarray(s->devices, s->count == 0 ? 1 : 2 * s->count, sizeof(struct device *));
    s->devices[s->count++] = d;
}

/* A number from 1 or an address. */
static struct device *one(struct fleet *fleet, const char *text)
{
    struct in_addr a;
    uint64_t n;
    if (text_u64(text, 1, UINT32_MAX, &n))
        return fleet_number(fleet, n);
    return inet_pton(AF_INET, text, &a) == 1 ? fleet_at(fleet, ntohl(a.s_addr)) : NULL;
}

static int bad(struct fleet *fleet, const char *item, struct err *err)
{
    return err_set(
        err, CAUSE_INVALID_ARGUMENT,
        "'%s' is no device: expected a number from 1 to %zu, an address of the fleet, a range of these, "
        "or 'all'",
        item, fleet->count);
}

static int add_item(struct selection *s, struct fleet *fleet, const char *item, struct err *err)
{
    char from[ITEM_MAX];
    struct device *first = one(fleet, item), *last = first;
    const char *dash = strchr(item, '-');
    if (strcmp(item, "all") == 0) {
        first = &fleet->devices[0];
        last = &fleet->devices[fleet->count - 1];
    } else if (dash != NULL) {
        snprintf(from, sizeof(from), "%.*s", (int)(dash - item), item);
        first = one(fleet, from);
        last = one(fleet, dash + 1);
    }
    if (first == NULL || last == NULL || first > last)
        return bad(fleet, item, err);
    for (; first <= last; first++)
        add(s, first);
    return 0;
}

static int parse_hostlist(struct selection *s, struct fleet *fleet, const char *text, struct err *err)
{
    struct hostlist *list = hostlist_parse(text, err);
    int r = list != NULL ? 0 : -1;
    for (size_t i = 0; r == 0 && i < hostlist_count(list); i++)
        r = add_item(s, fleet, hostlist_name(list, i), err);
    hostlist_free(list);
    return r;
}

int selection_parse(struct selection *s, struct fleet *fleet, const char *text, struct err *err)
{
    char item[ITEM_MAX];
    *s = (struct selection){0};
    if (strchr(text, '[') != NULL)
        return parse_hostlist(s, fleet, text, err);
    do {
        text += strspn(text, " ,");
        size_t n = strcspn(text, ",");
        while (n > 0 && text[n - 1] == ' ')
            n--;
        snprintf(item, sizeof(item), "%.*s", (int)n, text);
        if (n >= sizeof(item) || add_item(s, fleet, item, err) != 0)
            return n >= sizeof(item) ? bad(fleet, item, err) : -1;
        text += strcspn(text, ",");
    } while (*text != '\0');
    return 0;
}

void selection_clear(struct selection *s)
{
    free(s->devices);
    *s = (struct selection){0};
}
