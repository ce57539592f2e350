/* Sessions of the cores in sol/ over the streams of amtd/net, as amtd has them, and nothing else.
 *
 *   redir_client sol ADDRESS PORT [CA]           takes output until the end: bytes and seconds
 *   redir_client idle ADDRESS PORT COUNT [CA]    opens sessions with so many devices: KiB of memory for each
 *   redir_client ider ADDRESS PORT SOL-PORT BLOCKS   the machine reads so many blocks of a CD: what it says
 * of it
 *
 * User admin; the password comes from the environment variable PASSWORD. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/net/stream.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "sol/ider.h"
#include "sol/sol.h"

#define OPEN_MS  60000
#define OPENINGS 100 /* sessions being opened at a time */
#define FLOPPY   2880

struct link {
    struct bench *bench;
    struct stream *stream;
    struct redir *redir;
    struct sol *sol;
    struct ider *ider;
    uv_timer_t timer;
    bool ider_wanted;
};

struct bench {
    uv_loop_t loop;
    struct dialer *dialer;
    struct streams *streams;
    struct secret *password;
    const char *ca;
    struct link *links;
    size_t count, opened, up;
    uint32_t first;
    uint16_t port;
    const uint8_t *cd;
    uint32_t blocks;
    uint64_t bytes, began_ns, ended_ns;
    uint64_t before_kib;
    void (*is_up)(struct link *link);
};

static int64_t now_ms(void)
{
    return clock_mono(clock_system());
}

static void die(const struct err *err)
{
    fprintf(stderr, "redir_client: %s\n", err->text);
    exit(1);
}

/* --- a session on a stream --- */

static void pump(struct link *link);

static void on_timer(uv_timer_t *timer)
{
    struct link *link = timer->data;
    struct err err = ERR_INIT;

    if (redir_tick(link->redir, now_ms(), &err) < 0)
        die(&err);
    pump(link);
}

static void pump(struct link *link)
{
    int64_t wait = redir_deadline(link->redir);
    struct view out;
    size_t n;

    do {
        out = redir_output(link->redir);
        n = out.n > 0 ? stream_write(link->stream, out.p, out.n) : 0;
        redir_sent(link->redir, n, now_ms());
    } while (n > 0);
    if (wait == INT64_MAX)
        return;
    wait = redir_deadline(link->redir) - now_ms();
    uv_timer_start(&link->timer, on_timer, wait > 0 ? (uint64_t)wait : 0, 0);
}

static void on_up(void *arg, const struct redir_info *info)
{
    struct link *link = arg;

    (void)info;
    link->bench->up++;
    link->bench->is_up(link);
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct link *link = arg;

    (void)p;
    link->bench->bytes += n;
}

static void on_read(void *arg, uint32_t op, enum ider_drive drive, uint32_t lba, uint32_t count)
{
    static const uint8_t zeros[IDER_READ_MAX];
    struct link *link = arg;

    if (drive == IDER_CD)
        ider_complete(link->ider, op, link->bench->cd + (size_t)lba * IDER_CD_BLOCK,
                      (size_t)count * IDER_CD_BLOCK, ider_sense_none);
    else
        ider_complete(link->ider, op, zeros, (size_t)count * IDER_FLOPPY_BLOCK, ider_sense_none);
}

static void on_open(void *arg)
{
    struct link *link = arg;
    const struct redir_login login = {
        .user = "admin", .password = link->bench->password, .methods = REDIR_MAY_DIGEST};
    const struct redir_events common = {.arg = link, .up = on_up};
    const struct sol_events sol = {.session = common, .data = on_data};
    const struct ider_events ider = {.session = common, .read = on_read};
    struct err err = ERR_INIT;

    if (link->ider_wanted) {
        link->ider = ider_new(&login, &ider_settings_default, &ider, now_ms(), &err);
        if (!link->ider || ider_insert(link->ider, IDER_CD, link->bench->blocks, &err) < 0 ||
            ider_insert(link->ider, IDER_FLOPPY, FLOPPY, &err) < 0) /* without one, devices keep resetting */
            die(&err);
        ider_enable(link->ider, IDER_NOW);
        link->redir = ider_session(link->ider);
    } else {
        link->sol = sol_new(&login, &sol_settings_default, &sol, now_ms(), &err);
        if (!link->sol)
            die(&err);
        link->redir = sol_session(link->sol);
    }
    pump(link);
}

static void on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct link *link = arg;
    struct err err = ERR_INIT;

    if (link->bench->began_ns == 0)
        link->bench->began_ns = uv_hrtime();
    if (redir_feed(link->redir, p, n, now_ms(), &err) < 0)
        die(&err);
    pump(link);
}

static void on_drained(void *arg)
{
    pump(arg);
}

static void on_down(void *arg, const struct err *failure)
{
    struct link *link = arg;

    link->bench->ended_ns = uv_hrtime();
    if (failure)
        die(failure);
    uv_stop(&link->bench->loop);
}

static void open_link(struct bench *b, struct link *link, uint32_t address, uint16_t port)
{
    const struct stream_events events = {link, on_open, on_bytes, on_drained, on_down};
    struct in_addr in = {htonl(address)};
    char text[INET_ADDRSTRLEN];
    struct http_settings tls = {.name = text, .tls = HTTP_TLS_CA, .ca_file = b->ca};
    struct stream_peer peer = {.host = text, .port = port, .tls = b->ca ? &tls : NULL, .open_ms = OPEN_MS};
    struct err err = ERR_INIT;

    inet_ntop(AF_INET, &in, text, sizeof(text));
    link->bench = b;
    uv_timer_init(&b->loop, &link->timer);
    link->timer.data = link;
    link->stream = stream_open(b->streams, &peer, &events, &err);
    if (!link->stream)
        die(&err);
}

/* --- what is measured --- */

static void nothing(struct link *link)
{
    (void)link;
}

static uint64_t memory_kib(void)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    uint64_t kib = 0;

    while (f && fgets(line, sizeof(line), f)) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtoull(line + 6, NULL, 10);
    }
    if (f)
        fclose(f);
    return kib;
}

static void open_next(struct bench *b)
{
    struct link *link = &b->links[b->opened];

    open_link(b, link, b->first + (uint32_t)b->opened, b->port);
    b->opened++;
}

static void one_more(struct link *link)
{
    struct bench *b = link->bench;

    if (b->opened < b->count)
        open_next(b);
    if (b->up == b->count)
        uv_stop(&b->loop);
}

static void idle(struct bench *b, size_t count)
{
    b->count = count;
    b->links = xcalloc(count, sizeof(*b->links));
    b->is_up = one_more;
    memset(b->links, 0, count * sizeof(*b->links)); /* touched: not counted as the sessions' */
    b->before_kib = memory_kib();
    while (b->opened < count && b->opened < OPENINGS)
        open_next(b);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    malloc_trim(0);
    printf("%zu %.2f\n", count, (double)(memory_kib() - b->before_kib) / (double)count);
}

static void throughput(struct bench *b)
{
    b->links = xcalloc(1, sizeof(*b->links));
    b->is_up = nothing;
    open_link(b, b->links, b->first, b->port);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    printf("%llu %.3f\n", (unsigned long long)b->bytes, (double)(b->ended_ns - b->began_ns) / 1e9);
}

static void serve_drive(struct bench *b, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < IDER_CD_BLOCK)
        exit(2);
    b->blocks = (uint32_t)(st.st_size / IDER_CD_BLOCK);
    b->cd = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (b->cd == MAP_FAILED)
        exit(1);
    b->links = xcalloc(1, sizeof(*b->links));
    b->is_up = nothing;
    b->links[0].ider_wanted = true;
    open_link(b, &b->links[0], b->first, b->port);
    uv_run(&b->loop, UV_RUN_DEFAULT);
}

static uint64_t number(const char *text, uint64_t max)
{
    uint64_t value;

    if (!text || !text_u64(text, 1, max, &value))
        exit(2);
    return value;
}

int main(int argc, char **argv)
{
    static struct bench b;
    const char *password = getenv("PASSWORD");
    struct in_addr in;
    struct err err = ERR_INIT;

    if (argc < 4 || inet_pton(AF_INET, argv[2], &in) != 1) {
        fputs("usage: redir_client sol|idle|ider ADDRESS PORT ...\n", stderr);
        return 2;
    }
    uv_loop_init(&b.loop);
    b.dialer = dialer_new(&b.loop, OPENINGS, &err);
    if (!b.dialer)
        die(&err);
    b.streams = streams_new(&b.loop, b.dialer);
    b.first = ntohl(in.s_addr);
    b.port = (uint16_t)number(argv[3], UINT16_MAX);
    b.password = secret_new(password ? password : "", password ? strlen(password) : 0);
    if (strcmp(argv[1], "sol") == 0) {
        b.ca = argc > 4 ? argv[4] : NULL;
        throughput(&b);
    } else if (strcmp(argv[1], "idle") == 0) {
        b.ca = argc > 5 ? argv[5] : NULL;
        idle(&b, number(argv[4], 100000));
    } else {
        serve_drive(&b, argc > 4 ? argv[4] : "");
    }
    return 0; /* sockets and memory go with the process: nothing of it is measured */
}
