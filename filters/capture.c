#include "filters/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/xalloc.h"

#define FILE_BUFFER    (1 << 20)
#define LEARN_FRAMES   20000
#define TALKERS_MAX    256
#define ADDRESSES_MAX  8
#define NEARLY_PERCENT 95
#define MAC_BYTES      6
#define SLL_BYTES      16
#define SLL2_BYTES     20
#define SLL2_TYPE_AT   10

/* Somebody on the link: a hardware address, or with raw IP an address. */
struct talker {
    uint8_t mac[MAC_BYTES];
    net_number address; /* raw IP */
    uint8_t version;
    uint64_t frames;
    net_number addresses[ADDRESSES_MAX]; /* it sent from */
    size_t address_count;                /* ADDRESSES_MAX: that many or more */
};

struct capture {
    pcap_t *pcap;
    FILE *file;
    char *buffer; /* owned: of file */
    char *path;
    int link;
    struct nets own;
    bool guessed, known;
    struct talker host;
    pcap_dumper_t *dumper;
    char *dump_path;
    struct pcap_pkthdr *header; /* of the packet read last; libpcap's */
    const u_char *data;
};

/* --- opening --- */

static bool is_cooked(const struct capture *capture)
{
    return capture->link == DLT_LINUX_SLL || capture->link == DLT_LINUX_SLL2;
}

static int open_file(struct capture *capture, struct err *err)
{
    char text[PCAP_ERRBUF_SIZE] = "";

    capture->file = fopen(capture->path, "rb");
    if (!capture->file)
        return err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", capture->path);
    setvbuf(capture->file, capture->buffer, _IOFBF, FILE_BUFFER);
    capture->pcap = pcap_fopen_offline(capture->file, text);
    if (!capture->pcap) {
        fclose(capture->file);
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: %s", capture->path, text);
    }
    capture->link = pcap_datalink(capture->pcap);
    return 0;
}

static void close_file(struct capture *capture)
{
    if (capture->pcap)
        pcap_close(capture->pcap); /* closes the file too */
    capture->pcap = NULL;
}

/* --- who is the host --- */

static struct talker *talker_of(struct talker *talkers, size_t *count, const uint8_t *mac,
                                const net_number *address, uint8_t version)
{
    struct talker *talker;

    for (size_t i = 0; i < *count; i++) {
        if (mac ? memcmp(talkers[i].mac, mac, MAC_BYTES) == 0
                : talkers[i].version == version && talkers[i].address == *address)
            return &talkers[i];
    }
    if (*count == TALKERS_MAX)
        return NULL;
    talker = &talkers[(*count)++];
    *talker = (struct talker){.version = version, .address = address ? *address : 0};
    if (mac)
        memcpy(talker->mac, mac, MAC_BYTES);
    return talker;
}

static void sent_from(struct talker *talker, const struct packet *packet)
{
    if (packet->version == 0 || packet->source == 0)
        return;
    for (size_t i = 0; i < talker->address_count; i++)
        if (talker->addresses[i] == packet->source)
            return;
    if (talker->address_count < ADDRESSES_MAX)
        talker->addresses[talker->address_count++] = packet->source;
}

static bool is_group(const uint8_t *mac)
{
    return mac[0] & 1;
}

struct crowd {
    struct talker *talkers;
    size_t count;
};

static void meet_frame(struct crowd *crowd, const uint8_t *frame, const struct packet *packet)
{
    const uint8_t *ends[] = {frame + MAC_BYTES, frame};

    for (size_t i = 0; i < 2; i++) {
        struct talker *talker =
            is_group(ends[i]) ? NULL : talker_of(crowd->talkers, &crowd->count, ends[i], NULL, 0);

        if (!talker)
            continue;
        talker->frames++;
        if (i == 0)
            sent_from(talker, packet);
    }
}

static void meet_packet(struct crowd *crowd, const struct packet *packet)
{
    const net_number ends[] = {packet->source, packet->destination};

    for (size_t i = 0; i < 2; i++) {
        struct talker *talker = talker_of(crowd->talkers, &crowd->count, NULL, &ends[i], packet->version);

        if (talker)
            talker->frames++;
    }
}

static void choose_host(struct capture *capture, const struct crowd *crowd)
{
    uint64_t most = 0;
    const struct talker *best = NULL;

    for (size_t i = 0; i < crowd->count; i++)
        if (crowd->talkers[i].frames > most)
            most = crowd->talkers[i].frames;
    for (size_t i = 0; i < crowd->count; i++) {
        const struct talker *talker = &crowd->talkers[i];

        if (talker->frames * 100 < most * NEARLY_PERCENT)
            continue;
        if (!best || talker->address_count < best->address_count ||
            (talker->address_count == best->address_count && talker->frames > best->frames))
            best = talker;
    }
    if (best) {
        capture->host = *best;
        capture->known = true;
    }
}

/* The first packets tell who the host is; with its addresses known, the one who sends from them. */
static void learn(struct capture *capture)
{
    struct crowd crowd = {xcalloc(TALKERS_MAX, sizeof(*crowd.talkers)), 0};
    bool ethernet = capture->link == DLT_EN10MB;

    for (int i = 0; i < LEARN_FRAMES && pcap_next_ex(capture->pcap, &capture->header, &capture->data) == 1;
         i++) {
        size_t n = capture->header->caplen;
        struct packet packet;

        if (ethernet ? !packet_decode(&packet, capture->data, n)
                     : !packet_decode_ip(&packet, capture->data, n))
            continue;
        if (ethernet && capture->own.count > 0) {
            if (packet.version != 0 && nets_hold(&capture->own, packet.version, packet.source)) {
                memcpy(capture->host.mac, capture->data + MAC_BYTES, MAC_BYTES);
                capture->known = true;
                break;
            }
        } else if (ethernet) {
            meet_frame(&crowd, capture->data, &packet);
        } else if (packet.version != 0) {
            meet_packet(&crowd, &packet);
        }
    }
    if (capture->own.count == 0)
        choose_host(capture, &crowd);
    free(crowd.talkers);
}

struct capture *capture_open(const char *path, const struct nets *own, struct err *err)
{
    struct capture *capture = xcalloc(1, sizeof(*capture));
    int rc;

    capture->path = xstrdup(path);
    capture->buffer = xmalloc(FILE_BUFFER);
    if (own)
        nets_copy(&capture->own, own);
    capture->guessed = capture->own.count == 0;
    rc = open_file(capture, err);
    if (rc == 0 && capture->link != DLT_EN10MB && capture->link != DLT_RAW && !is_cooked(capture))
        rc = err_set(
            err, CAUSE_INVALID_ARGUMENT, "%s: link type %s; expected Ethernet, Linux cooked or raw IP", path,
            pcap_datalink_val_to_name(capture->link) ? pcap_datalink_val_to_name(capture->link) : "?");
    if (rc == 0 && !is_cooked(capture)) {
        learn(capture);
        close_file(capture);
        rc = open_file(capture, err);
    }
    if (rc == 0)
        return capture;
    capture_close(capture);
    return NULL;
}

void capture_close(struct capture *capture)
{
    if (!capture)
        return;
    if (capture->dumper)
        pcap_dump_close(capture->dumper);
    close_file(capture);
    nets_free(&capture->own);
    free(capture->buffer);
    free(capture->dump_path);
    free(capture->path);
    free(capture);
}

/* --- packets --- */

static void by_hardware_address(const struct capture *capture, struct captured *out)
{
    const uint8_t *frame = capture->data;

    out->ours = capture->known;
    if (memcmp(frame + MAC_BYTES, capture->host.mac, MAC_BYTES) == 0)
        out->direction = SD_TX;
    else if (memcmp(frame, capture->host.mac, MAC_BYTES) == 0 || is_group(frame))
        out->direction = SD_RX;
    else
        out->ours = false;
}

static bool is_host(const struct capture *capture, uint8_t version, net_number address)
{
    if (capture->own.count > 0)
        return nets_hold(&capture->own, version, address);
    return capture->known && capture->host.version == version && capture->host.address == address;
}

static void by_address(const struct capture *capture, struct captured *out)
{
    const struct packet *packet = &out->packet;

    if (packet->version == 0)
        return;
    if (is_host(capture, packet->version, packet->source))
        out->direction = SD_TX;
    else if (is_host(capture, packet->version, packet->destination))
        out->direction = SD_RX;
    else
        return;
    out->ours = true;
}

/* Linux cooked (pcap-linktype(7)): who it was for, and the EtherType; at the other end of the header in
 * version 2. */
static void decode_cooked(const struct capture *capture, size_t n, struct captured *out)
{
    struct rd r = rd_init(capture->data, n);
    uint16_t type, ethertype;

    if (capture->link == DLT_LINUX_SLL) {
        type = rd_be16(&r);
        rd_skip(&r, SLL_BYTES - 4);
        ethertype = rd_be16(&r);
    } else {
        ethertype = rd_be16(&r);
        rd_skip(&r, SLL2_TYPE_AT - 2);
        type = rd_u8(&r);
        rd_skip(&r, SLL2_BYTES - SLL2_TYPE_AT - 1);
    }
    if (!rd_ok(&r))
        return;
    packet_decode_payload(&out->packet, ethertype, r.p, r.n);
    out->ours = type != LINUX_SLL_OTHERHOST;
    out->direction = type == LINUX_SLL_OUTGOING ? SD_TX : SD_RX;
}

int capture_next(struct capture *capture, struct captured *out, struct err *err)
{
    int rc = pcap_next_ex(capture->pcap, &capture->header, &capture->data);
    size_t n;

    if (rc == PCAP_ERROR_BREAK)
        return 0;
    if (rc != 1)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: %s", capture->path, pcap_geterr(capture->pcap));
    n = capture->header->caplen;
    out->ours = false;
    out->direction = SD_TX;
    out->time_ms = (int64_t)capture->header->ts.tv_sec * 1000 + capture->header->ts.tv_usec / 1000;
    out->bytes = capture->header->len;
    if (capture->link == DLT_EN10MB) {
        if (packet_decode(&out->packet, capture->data, n))
            by_hardware_address(capture, out);
    } else if (capture->link == DLT_RAW) {
        if (packet_decode_ip(&out->packet, capture->data, n))
            by_address(capture, out);
    } else {
        decode_cooked(capture, n, out);
    }
    return 1;
}

/* --- writing --- */

int capture_write_to(struct capture *capture, const char *path, struct err *err)
{
    capture->dumper = pcap_dump_open(capture->pcap, path);
    if (!capture->dumper)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s", pcap_geterr(capture->pcap)); /* names the path */
    capture->dump_path = xstrdup(path);
    return 0;
}

void capture_write(struct capture *capture)
{
    if (capture->dumper)
        pcap_dump((u_char *)capture->dumper, capture->header, capture->data);
}

int capture_write_end(struct capture *capture, struct err *err)
{
    int rc;

    if (!capture->dumper)
        return 0;
    rc = pcap_dump_flush(capture->dumper) != 0 || ferror(pcap_dump_file(capture->dumper));
    pcap_dump_close(capture->dumper);
    capture->dumper = NULL;
    if (rc != 0)
        return err_set(err, CAUSE_SYSTEM, "%s: cannot be written: is the disk full?", capture->dump_path);
    return 0;
}

/* --- the host --- */

void capture_host(const struct capture *capture, struct buf *out)
{
    if (is_cooked(capture)) {
        buf_puts(out, "as the capture says");
    } else if (capture->link == DLT_RAW && capture->own.count > 0) {
        for (size_t i = 0; i < capture->own.count; i++) {
            buf_puts(out, i > 0 ? ", " : "");
            net_text(&capture->own.items[i], out);
        }
    } else if (!capture->known) {
        buf_puts(out, "nobody: no packet of it was found");
    } else if (capture->link == DLT_RAW) {
        net_address_text(capture->host.address, capture->host.version, out);
    } else {
        for (size_t i = 0; i < MAC_BYTES; i++)
            buf_printf(out, i > 0 ? ":%02x" : "%02x", capture->host.mac[i]);
    }
}

bool capture_host_guessed(const struct capture *capture)
{
    return capture->guessed && !is_cooked(capture);
}
