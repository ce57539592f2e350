#include "tests/unit/amtsim/redir_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/amtsim/digest.h"

#define GOT_MAX ((size_t)64 << 20)

static void on_changed(void *arg)
{
    (void)arg;
}

void client_open(struct client *c, struct sim *sim, struct device *device)
{
    *c = (struct client){.sim = sim, .device = device, .piece = c->piece, .got = buf_init(GOT_MAX)};
    c->session = redir_session_new(device, on_changed, c);
}

void client_close(struct client *c)
{
    redir_session_free(c->session);
    c->session = NULL;
    buf_free(&c->got);
}

static void take(struct client *c)
{
    for (struct view v; (v = redir_session_output(c->session)).n > 0;) {
        buf_add(&c->got, v.p, v.n);
        redir_session_sent(c->session, v.n);
    }
}

void client_wait(struct client *c, int64_t ms)
{
    int64_t *now = &c->sim->time.mono, end = *now + ms;
    take(c);
    while (*now < end && redir_session_fate(c->session) == REDIR_GOES_ON) {
        int64_t at = redir_session_deadline(c->session);
        *now = at > *now ? (at < end ? at : end) : *now + 1;
        redir_session_tick(c->session);
        take(c);
    }
    *now = end;
    take(c);
}

void client_say(struct client *c, const void *p, size_t n)
{
    size_t piece = c->piece > 0 ? c->piece : n;
    for (size_t at = 0; at < n; at += piece) {
        redir_session_feed(c->session, (const char *)p + at, n - at < piece ? n - at : piece);
        take(c);
    }
    while (!redir_session_drained(c->session) && redir_session_fate(c->session) != REDIR_BREAKS) {
        c->sim->time.mono += 10; /* the pauses between messages */
        take(c);
    }
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void client_say_hex(struct client *c, const char *hex)
{
    uint8_t p[512];
    size_t n = 0;
    for (const char *h = hex; *h != '\0'; h += h[2] == ' ' ? 3 : 2)
        p[n++] = (uint8_t)(digit(h[0]) << 4 | digit(h[1]));
    client_say(c, p, n);
}

void client_expect(struct client *c, const char *hex)
{
    size_t n = 0;
    for (const char *h = hex; *h != '\0'; h += h[2] == ' ' ? 3 : 2, n++) {
        if (n >= c->got.len)
            fail_msg("said only %zu bytes of '%s'", n, hex);
        if (h[0] != '-' && c->got.p[n] != (digit(h[0]) << 4 | digit(h[1])))
            fail_msg("byte %zu is %02x, expected '%s'", n, c->got.p[n], hex);
    }
    buf_consume(&c->got, n);
}

void client_expect_nothing(struct client *c)
{
    if (c->got.len > 0)
        fail_msg("%zu bytes more, the first is %02x", c->got.len, c->got.p[0]);
}

static void say_login(struct client *c, unsigned type, const char *const *fields, size_t count)
{
    struct buf data = buf_init(4096), b = buf_init(4096);
    for (size_t i = 0; i < count; i++)
        wr_str8(&data, fields[i], strlen(fields[i]));
    wr_u8(&b, 0x13);
    wr_be24(&b, 0);
    wr_u8(&b, (uint8_t)type);
    wr_le32(&b, (uint32_t)data.len);
    wr_bytes(&b, data.p, data.len);
    client_say(c, b.p, b.len);
    buf_free(&data);
    buf_free(&b);
}

void client_login(struct client *c, unsigned type, const char *user, const char *password)
{
    static const char uri[] = "/RedirectionService";
    char realm[64] = "", nonce[64] = "", ha1[33], ha2[33], response[33];
    size_t count = type == 4 ? 8 : 7;
    const char *probe[] = {user, "", "", uri, "", "", "", ""};
    say_login(c, type, probe, count);
    assert_true(c->got.len > 9);
    struct rd r = rd_init(c->got.p + 9, c->got.len - 9);
    struct view v = rd_str8(&r), w = rd_str8(&r);
    assert_true(rd_ok(&r) && v.n < sizeof(realm) && w.n < sizeof(nonce));
    memcpy(realm, v.p, v.n);
    memcpy(nonce, w.p, w.n);
    buf_reset(&c->got);
    const char *a1[] = {user, realm, password}, *a2[] = {"POST", uri};
    digest_md5_hex(c->sim->fleet, a1, 3, ha1);
    digest_md5_hex(c->sim->fleet, a2, 2, ha2);
    const char *new_way[] = {ha1, nonce, "00000001", "abc", "auth", ha2}, *old_way[] = {ha1, nonce, ha2};
    digest_md5_hex(c->sim->fleet, type == 4 ? new_way : old_way, type == 4 ? 6 : 3, response);
    const char *fields[] = {user, realm, nonce, uri, "abc", "00000001", response, "auth"};
    say_login(c, type, fields, count);
}

void client_start(struct client *c, const char *type)
{
    char start[8] = {0x10};
    memcpy(start + 4, type, 4);
    client_say(c, start, sizeof(start));
    client_expect(c, "11 00 00 00 01 00 -- 00 57 01 00 00 00");
    client_login(c, 4, "admin", "P@ssw0rd1");
    client_expect(c, "14 00 00 00 04 00 00 00 00");
    if (type[0] == 'S') {
        client_say_hex(c, "20 00 00 00 01 00 00 00 10 27 64 00 00 00 10 27 64 00 88 13 00 00 00 00");
        client_expect(c, "21 00 00 00 00 00 00 00 -- -- -- -- -- -- -- -- -- -- 57 01 00 00 00");
        client_expect(c, "29 00 00 00 01 00 00 00 -- --");
    } else {
        client_say_hex(c, "40 00 00 00 00 00 00 00 30 75 00 00 20 4e 01 00 00 00");
        client_expect(
            c, "41 00 00 00 00 00 00 00 01 00 -- 00 00 00 00 00 00 20 00 20 00 00 00 00 00 57 01 00 00 00");
    }
    client_expect_nothing(c);
}
