#include "amtcli/host_lookup.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESSES_MAX 65536

static void add_address(struct buf *addresses, const struct addrinfo *at)
{
    char text[NI_MAXHOST];

    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0 ||
        strchr(text, '%')) /* an address with a scope means nothing elsewhere */
        return;
    buf_printf(addresses, "%s%s", addresses->len > 0 ? " " : "", text);
}

int host_lookup(void *known, const char *host, struct buf *addresses, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    const char *text = json_string_value(json_object_get(known, host));
    struct buf found = buf_init(ADDRESSES_MAX);
    int status = text ? 0 : getaddrinfo(host, NULL, &hints, &list);

    for (const struct addrinfo *at = list; status == 0 && at; at = at->ai_next)
        add_address(&found, at);
    if (list)
        freeaddrinfo(list);
    if (!text && found.len > 0) {
        json_object_set_new(known, host, json_string(buf_str(&found)));
        text = json_string_value(json_object_get(known, host));
    }
    buf_free(&found);
    if (!text)
        return err_set(err, CAUSE_NAME_UNKNOWN, "host name '%s': %s", host,
                       status != 0 ? gai_strerror(status) : "it has no address");
    buf_puts(addresses, text);
    return 0;
}

void host_lookup_tell(const json_t *known)
{
    const char *name;
    json_t *addresses;

    json_object_foreach((json_t *)known, name, addresses)
    {
        fprintf(stderr, "amtcli: %s is %s\n", name, json_string_value(addresses));
    }
}
