#include "filters/flow.h"

#include <string.h>

#include "base/text.h"
#include "filters/words.h"

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define WORDS_MAX    12
#define SYN_ACK      (SD_TCP_SYN | SD_TCP_ACK)

/* The text cut into words in place. */
struct cut {
    char text[FLOW_TEXT_MAX + 1];
    char *words[WORDS_MAX];
    size_t count;
};

static int cut_text(const char *text, struct cut *out, struct err *err)
{
    size_t n = strlen(text);
    char *at, *next;

    if (n > FLOW_TEXT_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a packet's text of more than %d characters",
                       FLOW_TEXT_MAX);
    memcpy(out->text, text, n + 1);
    out->count = 0;
    for (at = strtok_r(out->text, " \t\r\n", &next); at; at = strtok_r(NULL, " \t\r\n", &next)) {
        if (out->count == WORDS_MAX)
            return err_set(err, CAUSE_INVALID_ARGUMENT, "more than %d words in a packet's text", WORDS_MAX);
        out->words[out->count++] = at;
    }
    return 0;
}

/* "10.0.0.7:51234", "[fe80::1]:443", "fe80::1": address and port, cut in place. */
static int read_end(char *word, bool ports, net_number *address, uint8_t *version, uint16_t *port,
                    struct err *err)
{
    char *host = word, *after = NULL;
    struct nets nets = {0};
    uint64_t number = 0;
    bool any, good;

    if (word[0] == '[') {
        host = word + 1;
        after = strchr(word, ']');
        if (!after || (after[1] != ':' && after[1] != '\0'))
            return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected [ADDRESS]:PORT", word);
        *after = '\0';
        after = after[1] == ':' ? after + 2 : NULL;
    } else if (strchr(word, ':') && strchr(word, ':') == strrchr(word, ':')) {
        after = strchr(word, ':');
        *after++ = '\0';
    }
    good = strspn(host, "0123456789abcdefABCDEF.:") == strlen(host) && host[0] != '\0' &&
           words_addresses(host, NULL, &any, &nets, NULL) == 0 && nets.count == 1;
    if (good) {
        *address = nets.items[0].address;
        *version = nets.items[0].version;
    }
    nets_free(&nets);
    if (!good)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected an IPv4 or IPv6 address", host);
    if (ports != (after != NULL))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       ports ? "'%s': expected ADDRESS:PORT, or [ADDRESS]:PORT for IPv6"
                             : "'%s': only tcp and udp have ports",
                       host);
    if (ports && !text_u64(after, 0, UINT16_MAX, &number))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected a port from 0 to 65535", after);
    *port = (uint16_t)number;
    return 0;
}

static int read_flags(const struct cut *cut, size_t i, struct packet *packet, struct err *err)
{
    uint8_t off;

    packet->tcp_flags = 0;
    if (strcmp(cut->words[i], "flags") != 0 || packet->protocol != PROTOCOL_TCP)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected the end%s", cut->words[i],
                       packet->protocol == PROTOCOL_TCP ? " or: flags FLAG..." : "");
    if (i + 1 == cut->count)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "flags: expected fin, syn, rst, psh, ack or urg");
    for (i++; i < cut->count; i++) {
        uint8_t on;

        if (words_tcp_flags(cut->words[i], &on, &off, err) != 0)
            return -1;
        packet->tcp_flags |= on;
    }
    return 0;
}

static int read_ip(struct cut *cut, size_t i, struct packet *out, struct err *err)
{
    uint8_t version = 0;

    out->has_ports = out->protocol == PROTOCOL_TCP || out->protocol == PROTOCOL_UDP;
    out->has_flags = out->protocol == PROTOCOL_TCP;
    out->tcp_flags = out->has_flags ? SD_TCP_SYN : 0;
    if (cut->count < i + 3 || strcmp(cut->words[i + 1], ">") != 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "expected: PROTOCOL ADDRESS[:PORT] > ADDRESS[:PORT]");
    if (read_end(cut->words[i], out->has_ports, &out->source, &out->version, &out->source_port, err) != 0 ||
        read_end(cut->words[i + 2], out->has_ports, &out->destination, &version, &out->destination_port,
                 err) != 0)
        return -1;
    if (version != out->version)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "one address is of IPv4 and one of IPv6");
    out->ethertype = version == 4 ? SD_ETHERTYPE_IPV4 : SD_ETHERTYPE_IPV6;
    return cut->count == i + 3 ? 0 : read_flags(cut, i + 3, out, err);
}

int flow_parse(const char *text, struct flow *out, struct err *err)
{
    struct cut cut = {.count = 0};
    size_t i = 0;
    int protocol;

    *out = (struct flow){.direction = SD_TX};
    if (cut_text(text, &cut, err) != 0)
        return -1;
    if (cut.count > 0 && (strcmp(cut.words[0], "out") == 0 || strcmp(cut.words[0], "in") == 0)) {
        out->direction_given = true;
        out->direction = cut.words[0][0] == 'o' ? SD_TX : SD_RX;
        i++;
    }
    if (i == cut.count)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "expected PROTOCOL ADDRESS[:PORT] > ADDRESS[:PORT], or an "
                       "EtherType");
    if (i + 1 == cut.count)
        return words_ethertype(cut.words[i], &out->packet.ethertype, err);
    if (words_protocol(cut.words[i], &protocol, err) != 0)
        return -1;
    if (protocol < 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a packet has one protocol, not any");
    out->packet.protocol = (uint8_t)protocol;
    return read_ip(&cut, i + 1, &out->packet, err);
}

struct flow flow_answer(const struct flow *flow)
{
    struct flow answer = *flow;

    answer.direction = flow->direction == SD_TX ? SD_RX : SD_TX;
    answer.packet.source = flow->packet.destination;
    answer.packet.destination = flow->packet.source;
    answer.packet.source_port = flow->packet.destination_port;
    answer.packet.destination_port = flow->packet.source_port;
    if (flow->packet.has_flags && (flow->packet.tcp_flags & SYN_ACK) == SD_TCP_SYN)
        answer.packet.tcp_flags = SYN_ACK;
    return answer;
}
