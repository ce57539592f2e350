/* Measures filters/ for tests/bench/filters.
 *
 *   filter_speed judge FILE         packets a second of CPU of the matcher, and with decoding
 *   filter_speed capture OUT MB     writes a capture of about that size: TCP and UDP of one host with many
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "base/xml.h"
#include "filters/file.h"
#include "filters/matcher.h"

#define PACKETS     65536
#define ROUNDS      400
#define DECODED     100 /* rounds with decoding */
#define FRAME_MAX   1500
#define HOST        0x0a000007U
#define FRAME_PARTS 54 /* Ethernet, IPv4 and TCP headers */

static uint32_t next(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * 0x2545f4914f6cdd1dULL) >> 32);
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

/* A frame between the host and one of 4096 others, on one of 16 ports. */
static size_t make_frame(uint64_t *seed, uint8_t frame[FRAME_MAX])
{
    static const uint16_t ports[] = {80,  443, 22,  25,  53,   110,  123,  137,
                                     143, 389, 445, 993, 3389, 5900, 8080, 50120};
    static const uint8_t host[] = {2, 0, 0, 0, 0, 7}, router[] = {2, 0, 0, 0, 0, 1};
    uint32_t dice = next(seed), other = 0x0a000000U | (next(seed) & 0xfff);
    bool leaves = dice & 1, udp = (dice >> 1) % 4 == 0;
    unsigned service = ports[(dice >> 4) % 16], client = 1024 + (dice >> 8) % 60000;
    size_t n = 60 + (dice >> 16) % 8 * 200;

    memset(frame, 0, n);
    memcpy(frame, leaves ? router : host, 6);
    memcpy(frame + 6, leaves ? host : router, 6);
    put16(frame + 12, 0x0800);
    frame[14] = 0x45;
    put16(frame + 16, (unsigned)n - 14);
    frame[23] = udp ? 17 : 6;
    put32(frame + 26, leaves ? HOST : other);
    put32(frame + 30, leaves ? other : HOST);
    put16(frame + 34, leaves ? client : service);
    put16(frame + 36, leaves ? service : client);
    frame[46] = 0x50;
    frame[47] = 0x10;
    return n;
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct ruleset *read_rules(const char *path)
{
    struct findings findings = {0};
    struct names *names = names_new();
    struct filter_file *file;
    struct ruleset *rules;
    struct err err = ERR_INIT;

    xml_library_init();
    names_use_placeholders(names);
    file = filter_file_read(path, filter_read_disk, NULL, &findings);
    rules = file ? filter_bind(file, names, &findings) : NULL;
    if (!rules && findings_err(&findings, &err) != 0)
        fprintf(stderr, "%s\n", err.text);
    return rules;
}

static int judge(const char *path)
{
    struct ruleset *rules = read_rules(path);
    struct packet *packets = xcalloc(PACKETS, sizeof(*packets));
    uint8_t(*frames)[64] = xcalloc(PACKETS, sizeof(*frames));
    struct matcher *matcher;
    uint64_t seed = 1, drops = 0;
    double start, judged, decoded;

    if (!rules)
        return 1;
    matcher = matcher_new(rules, NULL);
    for (size_t i = 0; i < PACKETS; i++) {
        uint8_t frame[FRAME_MAX];

        make_frame(&seed, frame);
        memcpy(frames[i], frame, sizeof(frames[i]));
        packet_decode(&packets[i], frame, FRAME_PARTS);
    }
    start = now();
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < PACKETS; i++)
            drops +=
                matcher_judge(matcher, (packets[i].source == HOST) ? SD_TX : SD_RX, &packets[i], round).drop;
    judged = now() - start;
    start = now();
    for (int round = 0; round < DECODED; round++) {
        for (size_t i = 0; i < PACKETS; i++) {
            struct packet packet;

            packet_decode(&packet, frames[i], FRAME_PARTS);
            drops += matcher_judge(matcher, packet.source == HOST ? SD_TX : SD_RX, &packet, round).drop;
        }
    }
    decoded = now() - start;
    printf("%zu rules: %.1f million packets/s judged, %.1f million/s decoded and judged (%.0f%% dropped)\n",
           rules->count, (double)ROUNDS * PACKETS / judged / 1e6, (double)DECODED * PACKETS / decoded / 1e6,
           (double)drops * 100 / ((double)(ROUNDS + DECODED) * PACKETS));
    matcher_free(matcher);
    free(packets);
    free(frames);
    return 0;
}

static int capture(const char *path, uint64_t megabytes)
{
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
    pcap_dumper_t *dumper = pcap_dump_open(pcap, path);
    uint64_t seed = 1, bytes = 0;

    if (!dumper) {
        fprintf(stderr, "%s: %s\n", path, pcap_geterr(pcap));
        return 1;
    }
    for (uint64_t i = 0; bytes < megabytes << 20; i++) {
        uint8_t frame[FRAME_MAX];
        size_t n = make_frame(&seed, frame);
        struct pcap_pkthdr header = {
            .ts = {1700000000 + (time_t)(i / 100000), (suseconds_t)(i % 100000 * 10)},
            .caplen = (bpf_u_int32)n,
            .len = (bpf_u_int32)n};

        pcap_dump((u_char *)dumper, &header, frame);
        bytes += n + 16;
    }
    pcap_dump_close(dumper);
    pcap_close(pcap);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t megabytes;

    if (argc == 3 && strcmp(argv[1], "judge") == 0)
        return judge(argv[2]);
    if (argc == 4 && strcmp(argv[1], "capture") == 0 && text_u64(argv[3], 1, 100000, &megabytes))
        return capture(argv[2], megabytes);
    fprintf(stderr, "usage: filter_speed judge FILE | capture OUT MB\n");
    return 2;
}
