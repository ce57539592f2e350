/* Names among the words of a sweep. */
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "amtd/discover/addrset.h"
#include "base/hostlist.h"

static int look_up(const char *name, uint32_t *address, struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    struct sockaddr_in found;
    int status;

    status = getaddrinfo(name, NULL, &hints, &list);
    if (status != 0)
        return err_set(err, CAUSE_NAME_UNKNOWN, "%s: %s", name, gai_strerror(status));
    memcpy(&found, list->ai_addr, sizeof(found));
    *address = ntohl(found.sin_addr.s_addr);
    freeaddrinfo(list);
    return 0;
}

/* "10.0.0.0/16", "10.0.0.1-99": a host list would take them for names, or not at all. */
static bool is_numeric(const char *word)
{
    return word[strspn(word, "0123456789./-,[]! ")] == '\0';
}

int addrset_look_up(const char *word, struct buf *out, struct err *err)
{
    struct hostlist *names;
    int status = 0;

    if (strchr(word, ':'))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': sweeps go through IPv4 addresses only", word);
    if (is_numeric(word)) {
        buf_puts(out, word);
        return 0;
    }
    if (word[0] == '!')
        buf_putc(out, '!');
    names = hostlist_parse(word + (word[0] == '!'), err);
    if (!names)
        return -1;
    for (size_t i = 0; status == 0 && i < hostlist_count(names); i++) {
        char text[ADDRSET_TEXT_MAX];
        uint32_t address;

        status = addrset_from_text(hostlist_name(names, i), &address)
                     ? 0
                     : look_up(hostlist_name(names, i), &address, err);
        if (status == 0)
            buf_printf(out, "%s%s", i > 0 ? "," : "", addrset_text(address, text));
    }
    hostlist_free(names);
    return status;
}
