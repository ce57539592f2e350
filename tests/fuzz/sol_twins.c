#include "tests/fuzz/sol_twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sol/ider.h"
#include "sol/kvm.h"
#include "sol/sol.h"

#define LOG_MAX (64 << 20)

struct run {
    const struct sol_twin *twin;
    struct redir *redir;
    struct sol *sol;
    struct ider *ider;
    struct kvm *kvm;
    struct buf log;
    bool in_data;
};

static void say(struct run *r, const char *what, uint64_t a, uint64_t b)
{
    r->in_data = false;
    buf_printf(&r->log, "\n%s %llu %llu", what, (unsigned long long)a, (unsigned long long)b);
}

static void on_token(void *arg)
{
    struct run *r = arg;

    say(r, "token", 0, 0);
    redir_token(r->redir, "ticket", 6, 0);
}

static int on_proof(void *arg, struct view token, struct err *err)
{
    say(arg, "proof", token.n, 0);
    return token.n == 13 ? err_set(err, CAUSE_AUTH_FAILED, "unlucky") : 0;
}

static void on_up(void *arg, const struct redir_info *info)
{
    struct run *r = arg;

    say(r, "up", info->method, info->oem);
    if (r->ider)
        ider_enable(r->ider, IDER_NOW);
}

static void on_ended(void *arg)
{
    say(arg, "ended", 0, 0);
}

static void on_note(void *arg, const char *text)
{
    say(arg, text, 0, 0);
}

/* Data as one row, wherever it was cut; a byte of it may make the owner write, or stop. */
static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct run *r = arg;

    if (n == 0)
        abort();
    if (!r->in_data)
        buf_puts(&r->log, "\ndata ");
    r->in_data = true;
    buf_add(&r->log, p, n);
    for (size_t i = 0; i < n; i++) {
        if (p[i] == 'w' && r->sol)
            sol_write(r->sol, "written", 7);
        if (p[i] == 'w' && r->kvm)
            kvm_write(r->kvm, "written", 7);
    }
}

static void on_lines(void *arg, const struct sol_lines *l)
{
    struct run *r = arg;

    say(r, "lines", (uint64_t)l->rts | l->dtr << 1 | l->brk << 2 | l->overflow << 3,
        (uint64_t)l->loopback | l->powered << 1 | l->flushed << 2 | l->testing << 3);
    if (l->testing)
        redir_stop(r->redir, 0);
}

static void on_read(void *arg, uint32_t op, enum ider_drive drive, uint32_t lba, uint32_t count)
{
    struct run *r = arg;
    size_t n = count * (size_t)(drive == IDER_CD ? IDER_CD_BLOCK : IDER_FLOPPY_BLOCK);
    static uint8_t zeros[IDER_READ_MAX];

    say(r, drive == IDER_CD ? "cd" : "floppy", lba, count);
    if (n > sizeof(zeros) || count == 0 || (uint64_t)lba + count > (drive == IDER_CD ? 1400 : 2880))
        abort();
    if (r->twin->answers == TWIN_BLOCKS)
        ider_complete(r->ider, op, zeros, n, ider_sense_none);
    else if (r->twin->answers == TWIN_ERRORS)
        ider_complete(r->ider, op, NULL, 0, ider_sense_unreadable);
}

static void on_cancelled(void *arg, uint32_t op)
{
    say(arg, "cancelled", op, 0);
}

static void on_switched(void *arg, bool on, bool done, uint32_t code)
{
    say(arg, "switched", (uint64_t)on << 1 | done, code);
}

static void on_reset(void *arg, uint8_t mask)
{
    say(arg, "reset", mask, 0);
}

static void on_eject(void *arg, enum ider_drive drive)
{
    say(arg, "eject", drive, 0);
    ider_eject(((struct run *)arg)->ider, drive);
}

static void on_error(void *arg, uint8_t code)
{
    struct run *r = arg;

    say(r, "error", code, 0);
    if (code == 1)
        redir_stop(r->redir, 0);
    else
        (void)ider_insert(r->ider, IDER_CD, 1400, NULL);
}

static void begin(struct run *r, const struct sol_twin *twin)
{
    const struct redir_events common = {r, on_token, on_proof, on_up, on_ended, on_note};
    const struct sol_events sol = {common, on_data, on_lines, NULL};
    const struct kvm_events kvm = {common, on_data, NULL};
    const struct ider_events ider = {common,   on_read,  on_cancelled, on_switched,
                                     on_reset, on_eject, on_error};
    const struct redir_login login = {.user = "admin", .methods = twin->methods, .cnonce = "nonce"};
    struct err err = ERR_INIT;

    memset(r, 0, sizeof(*r));
    r->twin = twin;
    r->log = buf_init(LOG_MAX);
    if (twin->kind == TWIN_SOL)
        r->sol = sol_new(&login, &sol_settings_default, &sol, 0, &err);
    else if (twin->kind == TWIN_KVM)
        r->kvm = kvm_new(&login, &kvm, 0, &err);
    else
        r->ider = ider_new(&login, &ider_settings_default, &ider, 0, &err);
    r->redir = r->sol ? sol_session(r->sol) : r->kvm ? kvm_session(r->kvm) : ider_session(r->ider);
    if (r->ider &&
        (ider_insert(r->ider, IDER_CD, 1400, &err) < 0 || ider_insert(r->ider, IDER_FLOPPY, 2880, &err) < 0))
        abort();
}

static const uint8_t login_bytes[] = {
    0x11, 0, 0, 0, 1, 0, 12, 0, 0x57, 1, 0,   0, 0,                          /* started */
    0x14, 0, 0, 0, 0, 1, 0,  0, 0,    4,                                     /* digest */
    0x14, 1, 0, 0, 4, 9, 0,  0, 0,    1, 'r', 1, 'n', 4, 'a', 'u', 't', 'h', /* challenge */
    0x14, 0, 0, 0, 4, 0, 0,  0, 0,                                           /* accepted */
};

static int feed(struct run *r, const uint8_t *p, size_t n, size_t piece, struct err *err)
{
    for (size_t at = 0; at < n; at += piece) {
        size_t part = n - at < piece ? n - at : piece;
        uint8_t *copy = xmalloc(part); /* reading beyond it shows */
        int status;

        memcpy(copy, p + at, part);
        status = redir_feed(r->redir, copy, part, 0, err);
        free(copy);
        if (status < 0)
            return -1;
    }
    return 0;
}

static void live(struct run *r, const uint8_t *p, size_t n, size_t piece)
{
    struct err err = ERR_INIT;
    struct view out;

    if (r->twin->logged_in && feed(r, login_bytes, sizeof(login_bytes), sizeof(login_bytes), &err) < 0)
        abort();
    out = redir_output(r->redir);
    redir_sent(r->redir, out.n, 0);
    if (feed(r, p, n, piece, &err) < 0) {
        if (err.cause == CAUSE_NONE || !err.text[0])
            abort();
        say(r, err.text, err.cause, 0);
        buf_puts(&r->log, err.code);
    } else {
        (void)redir_lost(r->redir, &err);
        say(r, err.text, err.cause, 0);
        if (redir_tick(r->redir, redir_deadline(r->redir), &err) < 0)
            say(r, err.text, err.cause, 0);
    }
    out = redir_output(r->redir);
    buf_puts(&r->log, "\nsends ");
    buf_add(&r->log, out.p, out.n);
    redir_sent(r->redir, out.n, 0);
}

void sol_twins(const struct sol_twin *twin, const uint8_t *p, size_t n)
{
    struct run whole, bytes;

    begin(&whole, twin);
    live(&whole, p, n, n > 0 ? n : 1);
    begin(&bytes, twin);
    live(&bytes, p, n, 1);
    if (whole.log.len != bytes.log.len || memcmp(whole.log.p, bytes.log.p, whole.log.len) != 0) {
        fprintf(stderr, "at once: %s\none by one: %s\n", buf_str(&whole.log), buf_str(&bytes.log));
        abort();
    }
    redir_free(whole.redir);
    redir_free(bytes.redir);
    buf_free(&whole.log);
    buf_free(&bytes.log);
}
