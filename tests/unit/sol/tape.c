#include "tests/unit/sol/tape.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/xalloc.h"

/* --- events become lines --- */

static void line_end(struct tape *t)
{
    if (t->log.len > 0 && t->log.p[t->log.len - 1] != '\n')
        buf_putc(&t->log, '\n');
}

static void on_token(void *arg)
{
    struct tape *t = arg;

    buf_puts(&t->log, "token wanted\n");
    if (!t->no_token)
        redir_token(t->redir, "ticket", 6, t->now_ms);
}

static int on_proof(void *arg, struct view token, struct err *err)
{
    struct tape *t = arg;

    buf_printf(&t->log, "proof of %zu\n", token.n);
    return t->bad_proof ? err_set(err, CAUSE_AUTH_FAILED, "the proof is wrong") : 0;
}

static void on_up(void *arg, const struct redir_info *info)
{
    struct tape *t = arg;

    buf_printf(&t->log, "up protocol %u.%u firmware %u.%u oem %u method %u\n", info->protocol_major,
               info->protocol_minor, info->firmware_major, info->firmware_minor, info->oem,
               (unsigned)info->method);
}

static void on_ended(void *arg)
{
    line_end(arg);
    buf_puts(&((struct tape *)arg)->log, "ended\n");
}

static void on_note(void *arg, const char *text)
{
    buf_printf(&((struct tape *)arg)->log, "note: %s\n", text);
}

/* Pieces of output join into one line, so that the way they came does not show. */
static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct buf *log = &((struct tape *)arg)->log;

    if (log->len > 0 && log->p[log->len - 1] != '\n') {
        text_printable(log, p, n);
        return;
    }
    buf_puts(log, "> ");
    text_printable(log, p, n);
}

static void on_lines(void *arg, const struct sol_lines *l)
{
    struct tape *t = arg;

    line_end(t);
    buf_printf(&t->log, "lines%s%s%s%s%s%s%s%s\n", l->rts ? " rts" : "", l->dtr ? " dtr" : "",
               l->brk ? " brk" : "", l->overflow ? " overflow" : "", l->loopback ? " loopback" : "",
               l->powered ? " powered" : "", l->flushed ? " flushed" : "", l->testing ? " testing" : "");
}

static void on_drained(void *arg)
{
    line_end(arg);
    buf_puts(&((struct tape *)arg)->log, "drained\n");
}

uint8_t tape_block_byte(enum ider_drive drive, uint32_t lba)
{
    return (uint8_t)(lba * 7 + (drive == IDER_CD ? 1 : 2));
}

static void on_read(void *arg, uint32_t op, enum ider_drive drive, uint32_t lba, uint32_t count)
{
    struct tape *t = arg;
    size_t block = drive == IDER_CD ? IDER_CD_BLOCK : IDER_FLOPPY_BLOCK;
    uint8_t *data;

    t->op = op;
    t->op_drive = drive;
    t->op_lba = lba;
    t->op_count = count;
    buf_printf(&t->log, "read %s %u+%u\n", drive == IDER_CD ? "cd" : "floppy", lba, count);
    if (t->no_blocks)
        return;
    data = xmalloc(count * block);
    for (uint32_t i = 0; i < count; i++)
        memset(data + i * block, tape_block_byte(drive, lba + i), block);
    ider_complete(t->ider, op, data, count * block, ider_sense_none);
    free(data);
}

static void on_cancelled(void *arg, uint32_t op)
{
    struct tape *t = arg;

    assert_int_equal(op, t->op);
    buf_puts(&t->log, "cancelled\n");
}

static void on_switched(void *arg, bool on, bool done, uint32_t code)
{
    buf_printf(&((struct tape *)arg)->log, "switched %s %s %u\n", on ? "on" : "off",
               done ? "done" : "refused", code);
}

static void on_reset(void *arg, uint8_t mask)
{
    buf_printf(&((struct tape *)arg)->log, "reset %u\n", mask);
}

static void on_eject(void *arg, enum ider_drive drive)
{
    buf_printf(&((struct tape *)arg)->log, "eject %s\n", drive == IDER_CD ? "cd" : "floppy");
}

static void on_device_error(void *arg, uint8_t code)
{
    buf_printf(&((struct tape *)arg)->log, "device error %u\n", code);
}

/* --- sessions --- */

struct redir_login tape_login(unsigned methods)
{
    static struct secret *password; /* lives as long as the test program */
    struct redir_login login = {.user = "admin", .methods = methods};

    if (!password)
        password = secret_new("P@ssw0rd", 8);
    login.password = password;
    login.cnonce = "00112233445566778899aabbccddeeff";
    return login;
}

void tape_begin(struct tape *t, enum tape_kind kind, const struct redir_login *login, size_t piece)
{
    const struct redir_events common = {t, on_token, on_proof, on_up, on_ended, on_note};
    const struct sol_events sol = {common, on_data, on_lines, on_drained};
    const struct kvm_events kvm = {common, on_data, on_drained};
    const struct ider_events ider = {common,   on_read,  on_cancelled,   on_switched,
                                     on_reset, on_eject, on_device_error};
    struct redir_login standard = tape_login(REDIR_MAY_DIGEST);
    struct err err = ERR_INIT;

    memset(t, 0, sizeof(*t));
    t->log = buf_init(1 << 20);
    t->piece = piece;
    t->now_ms = 1000;
    login = login ? login : &standard;
    if (kind == TAPE_SOL) {
        t->sol = sol_new(login, &sol_settings_default, &sol, t->now_ms, &err);
        t->redir = t->sol ? sol_session(t->sol) : NULL;
    } else if (kind == TAPE_IDER) {
        t->ider = ider_new(login, &ider_settings_default, &ider, t->now_ms, &err);
        t->redir = t->ider ? ider_session(t->ider) : NULL;
    } else {
        t->kvm = kvm_new(login, &kvm, t->now_ms, &err);
        t->redir = t->kvm ? kvm_session(t->kvm) : NULL;
    }
    if (!t->redir)
        fail_msg("%s", err.text);
}

void tape_end(struct tape *t)
{
    redir_free(t->redir);
    buf_free(&t->log);
}

/* --- tapes --- */

void tape_bytes(struct buf *out, const char *text)
{
    while (*text) {
        if (*text == ' ') {
            text++;
        } else if (*text == '\'') {
            for (text++; *text != '\''; text++)
                buf_putc(out, *text);
            text++;
        } else {
            char digits[3] = {text[0], text[1], 0};

            assert_true(isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]));
            wr_u8(out, (uint8_t)strtoul(digits, NULL, 16));
            text += 2;
        }
    }
}

static void expect_output(struct tape *t, const struct buf *want, const char *line)
{
    struct view out = redir_output(t->redir);

    if (out.n < want->len || (want->len > 0 && memcmp(out.p, want->p, want->len) != 0)) {
        struct buf got = buf_init(1 << 20);

        text_hex(&got, out.p, out.n, false);
        fail_msg("expected %s, the session sends %s", line, buf_str(&got));
    }
    redir_sent(t->redir, want->len, t->now_ms);
}

static int give(struct tape *t, const struct buf *bytes, struct err *err)
{
    for (size_t at = 0; at < bytes->len;) {
        size_t n = bytes->len - at < t->piece ? bytes->len - at : t->piece;
        uint8_t *copy = xmalloc(n); /* of exactly that size: reading beyond it shows */
        int status;

        memcpy(copy, bytes->p + at, n);
        status = redir_feed(t->redir, copy, n, t->now_ms, err);
        free(copy);
        if (status < 0)
            return -1;
        at += n;
    }
    return 0;
}

int tape_play(struct tape *t, const char *const *lines, struct err *err)
{
    int status = 0;

    for (; *lines && status == 0; lines++) {
        struct buf bytes = buf_init(1 << 20);

        tape_bytes(&bytes, *lines + 1);
        if (**lines == 'C')
            expect_output(t, &bytes, *lines);
        else
            status = give(t, &bytes, err);
        buf_free(&bytes);
    }
    if (status == 0)
        tape_silent(t);
    return status;
}

void tape_run(struct tape *t, const char *const *lines)
{
    struct err err = ERR_INIT;

    if (tape_play(t, lines, &err) < 0)
        fail_msg("%s", err.text);
}

void tape_login_by_digest(struct tape *t, const char *start)
{
    const char *const lines[] = {
        start,
        TAPE_STARTED,
        "C 13 00 00 00 00 00 00 00 00",
        "D 14 00 00 00 00 01 00 00 00 04",
        "C 13 00 00 00 04 20 00 00 00 05 'admin' 00 00 13 '/RedirectionService' 00 00 00 00",
        "D 14 01 00 00 04 4e 00 00 00 27 'Digest:A4070000000000000000000000000000' 20 "
        "'0123456789abcdef0123456789abcdef' 04 'auth'",
        "C 13 00 00 00 04 b3 00 00 00 05 'admin' 27 'Digest:A4070000000000000000000000000000' 20 "
        "'0123456789abcdef0123456789abcdef' 13 '/RedirectionService' 20 '00112233445566778899aabbccddeeff' "
        "08 "
        "'00000001' 20 'e65aebc0fc0bbdd1b0462fb99d2d9f7e' 04 'auth'",
        "D 14 00 00 00 04 00 00 00 00",
        NULL,
    };
    struct err err = ERR_INIT;

    for (size_t i = 0; lines[i]; i++) {
        struct buf bytes = buf_init(4096);

        tape_bytes(&bytes, lines[i] + 1);
        if (*lines[i] == 'C')
            expect_output(t, &bytes, lines[i]);
        else if (give(t, &bytes, &err) < 0)
            fail_msg("%s", err.text);
        buf_free(&bytes);
    }
}

void tape_logged(struct tape *t, const char *text)
{
    line_end(t);
    assert_string_equal(buf_str(&t->log), text);
    buf_reset(&t->log);
}

void tape_silent(struct tape *t)
{
    struct buf got = buf_init(1 << 20);
    struct view out = redir_output(t->redir);

    text_hex(&got, out.p, out.n, false);
    if (out.n > 0)
        fail_msg("the session sends %s", buf_str(&got));
    buf_free(&got);
}

void tape_drain(struct tape *t)
{
    struct view out;

    while ((out = redir_output(t->redir)).n > 0)
        redir_sent(t->redir, out.n, t->now_ms);
}
