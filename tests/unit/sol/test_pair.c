/* Both ends together: the client's cores against the simulated device, in memory, on every generation, with
 * the bytes between them at once, one at a time, and in odd pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "sol/ider.h"
#include "sol/sol.h"
#include "tests/unit/sol/sim_end.h"

#define STEP_MS 10

static const unsigned generations[] = {6, 9, 11, 16, 21};
static const size_t pieces[] = {1000000, 1, 61};

struct pair {
    struct sim_end end;
    struct redir *redir;
    struct sol *sol;
    struct ider *ider;
    size_t piece;
    bool up, ended;
    struct buf output; /* of the host */
    unsigned notes, resets, switched;
    int status; /* of the session: -1 once it has failed */
    struct err err;
};

static void on_up(void *arg, const struct redir_info *info)
{
    ((struct pair *)arg)->up = info->protocol_major == 1;
}

static void on_ended(void *arg)
{
    ((struct pair *)arg)->ended = true;
}

static void on_note(void *arg, const char *text)
{
    ((struct pair *)arg)->notes++;
    print_message("note: %s\n", text);
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    buf_add(&((struct pair *)arg)->output, p, n);
}

static uint8_t block_byte(enum ider_drive drive, uint32_t lba)
{
    return (uint8_t)(lba * 11 + drive);
}

static void on_read(void *arg, uint32_t op, enum ider_drive drive, uint32_t lba, uint32_t count)
{
    struct pair *p = arg;
    size_t block = drive == IDER_CD ? IDER_CD_BLOCK : IDER_FLOPPY_BLOCK;
    uint8_t *data = xmalloc(count * block);

    for (uint32_t i = 0; i < count; i++)
        memset(data + i * block, block_byte(drive, lba + i), block);
    ider_complete(p->ider, op, data, count * block, ider_sense_none);
    free(data);
}

static void on_switched(void *arg, bool on, bool done, uint32_t code)
{
    struct pair *p = arg;

    assert_true(on && done);
    assert_int_equal(code, 1);
    p->switched++;
}

static void on_reset(void *arg, uint8_t mask)
{
    assert_int_equal(mask, 3);
    ((struct pair *)arg)->resets++;
}

/* Carries what there is, both ways, until both are silent. */
static void carry(struct pair *p)
{
    for (bool moved = true; moved && p->status == 0 && !sim_end_breaks(&p->end);) {
        struct view out = redir_output(p->redir), in = sim_end_output(&p->end);
        size_t n = out.n < p->piece ? out.n : p->piece;

        moved = out.n > 0 || in.n > 0;
        if (n > 0) {
            sim_end_feed(&p->end, out.p, n);
            redir_sent(p->redir, n, sim_end_now(&p->end));
        }
        in = sim_end_output(&p->end);
        n = in.n < p->piece ? in.n : p->piece;
        if (n > 0) {
            p->status = redir_feed(p->redir, in.p, n, sim_end_now(&p->end), &p->err);
            sim_end_sent(&p->end, n);
        }
    }
}

static void pass(struct pair *p, int64_t ms)
{
    for (int64_t end = sim_end_now(&p->end) + ms; sim_end_now(&p->end) < end && p->status == 0;) {
        carry(p);
        sim_end_pass(&p->end, STEP_MS);
        if (p->status == 0 && redir_deadline(p->redir) <= sim_end_now(&p->end))
            p->status = redir_tick(p->redir, sim_end_now(&p->end), &p->err);
    }
    carry(p);
}

/* A device of that generation, and a session with it that has not begun. */
static void begin(struct pair *p, unsigned generation, size_t piece)
{
    memset(p, 0, sizeof(*p));
    p->piece = piece;
    p->output = buf_init(16 << 20);
    sim_end_start(&p->end, generation);
}

static void open_session(struct pair *p, bool ider, const char *password, unsigned methods)
{
    const struct redir_events common = {.arg = p, .up = on_up, .ended = on_ended, .note = on_note};
    const struct sol_events sol_events = {.session = common, .data = on_data};
    const struct ider_events ider_events = {
        .session = common, .read = on_read, .switched = on_switched, .reset = on_reset};
    struct secret *secret = secret_new(password, strlen(password));
    const struct redir_login login = {.user = "admin", .password = secret, .methods = methods};
    int64_t now = sim_end_now(&p->end);

    if (ider) {
        p->ider = ider_new(&login, &ider_settings_default, &ider_events, now, &p->err);
        p->redir = ider_session(p->ider);
        assert_int_equal(ider_insert(p->ider, IDER_CD, 1400, NULL), 0);
        assert_int_equal(ider_insert(p->ider, IDER_FLOPPY, 2880, NULL), 0);
        ider_enable(p->ider, IDER_NOW);
    } else {
        p->sol = sol_new(&login, &sol_settings_default, &sol_events, now, &p->err);
        p->redir = sol_session(p->sol);
    }
    secret_free(secret);
}

static void finish(struct pair *p)
{
    redir_free(p->redir);
    buf_free(&p->output);
    sim_end_stop(&p->end);
}

static void must(const struct pair *p, bool is)
{
    if (p->status != 0)
        fail_msg("%s", p->err.text);
    assert_true(is);
}

static void console(unsigned generation, size_t piece)
{
    struct pair p;

    begin(&p, generation, piece);
    open_session(&p, false, "P@ssw0rd1", REDIR_MAY_DIGEST);
    pass(&p, 1000);
    must(&p, p.up);
    assert_int_equal(redir_info(p.redir)->method, REDIR_DIGEST);
    assert_true(sol_lines(p.sol)->known && sol_lines(p.sol)->powered);
    sim_end_say(&p.end, "login: ", 7);
    assert_int_equal(sol_write(p.sol, "root\r", 5), 5);
    pass(&p, 1000);
    must(&p, true);
    assert_string_equal(buf_str(&p.output), "login: ");
    assert_string_equal(buf_str(&p.end.typed), "root\r");
    redir_stop(p.redir, sim_end_now(&p.end));
    pass(&p, 1000);
    must(&p, p.ended && sim_end_closes(&p.end) && !sim_end_breaks(&p.end));
    assert_int_equal(p.notes, 0);
    finish(&p);
}

static void test_console(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
        for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++)
            console(generations[i], pieces[k]);
    }
}

/* Old firmware takes the other logins as well; clear text only where it is allowed. */
static void test_logins(void **state)
{
    static const enum redir_method methods[] = {REDIR_CLEAR, REDIR_DIGEST_OLD, REDIR_DIGEST};
    struct pair p;

    (void)state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        begin(&p, 9, 1);
        open_session(&p, false, "P@ssw0rd1", REDIR_MAY(methods[i]));
        pass(&p, 1000);
        must(&p, p.up && redir_info(p.redir)->method == methods[i]);
        finish(&p);
    }
    begin(&p, 16, 1);
    open_session(&p, false, "P@ssw0rd1", REDIR_MAY(REDIR_CLEAR) | REDIR_MAY(REDIR_DIGEST_OLD));
    pass(&p, 1000);
    assert_int_equal(p.status, -1);
    assert_int_equal(p.err.cause, CAUSE_AUTH_UNSUPPORTED);
    finish(&p);
    for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
        begin(&p, generations[i], 1);
        open_session(&p, false, "wrong", REDIR_MAY_DIGEST);
        pass(&p, 1000);
        assert_int_equal(p.status, -1);
        assert_int_equal(p.err.cause, CAUSE_AUTH_FAILED);
        finish(&p);
    }
}

static void test_refusals(void **state)
{
    struct pair p;

    (void)state;
    begin(&p, 16, 1);
    sim_end_allow(&p.end, 32769); /* IDE-R alone */
    open_session(&p, false, "P@ssw0rd1", REDIR_MAY_DIGEST);
    pass(&p, 1000);
    assert_int_equal(p.err.cause, CAUSE_REDIRECTION_DISABLED);
    finish(&p);

    begin(&p, 16, 1);
    sim_end_want_consent(&p.end);
    open_session(&p, true, "P@ssw0rd1", REDIR_MAY_DIGEST);
    pass(&p, 1000);
    assert_int_equal(p.err.cause, CAUSE_CONSENT_REQUIRED);
    finish(&p);
}

/* 10 MB in one go, while the machine is typed at: nothing is lost, nothing is out of order. */
static void test_burst(void **state)
{
    const size_t size = (size_t)10 << 20;
    uint8_t *burst = xmalloc(size);
    struct pair p;
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < size; i++)
        burst[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
    begin(&p, 16, 100003);
    open_session(&p, false, "P@ssw0rd1", REDIR_MAY_DIGEST);
    pass(&p, 1000);
    while (at < size) {
        size_t n = size - at < 5000 ? size - at : 5000;

        sim_end_say(&p.end, burst + at, n);
        at += n;
        carry(&p);
    }
    pass(&p, 1000);
    must(&p, p.output.len == size);
    assert_memory_equal(p.output.p, burst, size);
    free(burst);
    finish(&p);
}

/* Ten minutes without a word: heartbeats of both ends keep the session. */
static void test_idle(void **state)
{
    struct pair p;

    (void)state;
    for (int ider = 0; ider < 2; ider++) {
        begin(&p, 16, 1000);
        open_session(&p, ider, "P@ssw0rd1", REDIR_MAY_DIGEST);
        pass(&p, 600000);
        must(&p, p.up && !sim_end_closes(&p.end));
        assert_int_equal(p.notes, 0); /* the numbers of all those messages are right, too */
        finish(&p);
    }
}

static void command(struct pair *p, bool cd, const char *cdb, size_t n, uint32_t expect)
{
    uint8_t bytes[12] = {0};
    unsigned before = p->end.answers;

    memcpy(bytes, cdb, n);
    assert_true(sim_end_command(&p->end, cd, bytes, expect));
    pass(p, 500);
    must(p, p->end.answers == before + 1);
    assert_false(p->end.gone);
}

static void drives(unsigned generation, size_t piece)
{
    struct pair p;

    begin(&p, generation, piece);
    open_session(&p, true, "P@ssw0rd1", REDIR_MAY_DIGEST);
    pass(&p, 1000);
    must(&p, p.up && p.switched == 1);
    command(&p, true, "\x00", 1, 0);
    assert_int_equal(p.end.sense, 0);
    command(&p, true, "\x25", 1, 8);
    assert_int_equal(p.end.data.len, 8);
    assert_memory_equal(p.end.data.p, "\x00\x00\x05\x77\x00\x00\x08\x00", 8);
    command(&p, true, "\x28\0\0\0\0\x10\0\0\x40", 9, 64 * 2048);
    assert_int_equal(p.end.data.len, 64 * 2048);
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(p.end.data.p[i * 2048 + 2047], block_byte(IDER_CD, 16 + i));
    command(&p, false, "\x28\0\0\0\0\x03\0\0\x02", 9, 1024);
    assert_int_equal(p.end.data.len, 1024);
    assert_int_equal(p.end.data.p[1023], block_byte(IDER_FLOPPY, 4));
    command(&p, true, "\x28\0\0\0\x05\x78\0\0\x01", 9, 2048); /* beyond the end */
    assert_int_equal(p.end.sense, 5);
    assert_int_equal(p.end.asc, 0x21);
    command(&p, false, "\x2a\0\0\0\0\x03\0\0\x01", 9, 0); /* write */
    assert_int_equal(p.end.sense, 7);
    sim_end_reset(&p.end);
    pass(&p, 1000);
    must(&p, p.resets == 1);
    command(&p, true, "\x43\2\0\0\0\0\0\0\x14", 9, 20);
    assert_int_equal(p.end.data.len, 20);
    redir_stop(p.redir, sim_end_now(&p.end));
    pass(&p, 1000);
    must(&p, p.ended && !sim_end_breaks(&p.end));
    assert_int_equal(p.notes, 0);
    finish(&p);
}

static void test_drives(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
        for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++)
            drives(generations[i], pieces[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_console), cmocka_unit_test(test_logins), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_burst),   cmocka_unit_test(test_idle),   cmocka_unit_test(test_drives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
