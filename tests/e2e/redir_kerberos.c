/* A redirection session that logs in by Kerberos: the core and amtd's tickets against a real KDC, and a
 * device that accepts tokens with GSS-API. Run by http_kerberos.sh, which makes the principals (see
 * http_kerberos.c).
 *
 * usage: e2e_redir_kerberos PORT CCACHE */
#include <gssapi/gssapi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/redirect/ticket.h"
#include "sol/sol.h"

#define PROOF_MAX 4096

static uint16_t port;
static const char *ccache;

struct login {
    uv_loop_t loop;
    struct sol *sol;
    struct redir *redir;
    struct ticket *ticket;
    const char *host;
    bool got;
    struct err failure; /* of the ticket */
    struct err err;     /* of the session */
};

static void on_ticket(void *arg, struct view token, const struct err *failure)
{
    struct login *l = arg;

    l->got = true;
    if (failure)
        l->failure = *failure;
    else
        redir_token(l->redir, token.p, token.n, 0);
}

static void on_token(void *arg)
{
    struct login *l = arg;

    l->ticket = ticket_get(&l->loop, l->host, port, ccache, on_ticket, l);
}

static int on_proof(void *arg, struct view token, struct err *err)
{
    return ticket_prove(((struct login *)arg)->ticket, token, err);
}

static int feed(struct login *l, const void *p, size_t n)
{
    return redir_feed(l->redir, p, n, 0, &l->err);
}

/* Up to the token, or the failure to get one. */
static void begin(struct login *l, const char *host)
{
    static const uint8_t said[] = {0x11, 0,    0, 0, 1, 0, 12, 0, 0x57, 1, 0, 0,
                                   0,    0x14, 0, 0, 0, 0, 2,  0, 0,    0, 4, 2};
    const struct redir_login login = {.methods = REDIR_MAY(REDIR_KERBEROS)};
    const struct sol_events events = {.session = {.arg = l, .token = on_token, .proof = on_proof}};

    memset(l, 0, sizeof(*l));
    l->host = host;
    uv_loop_init(&l->loop);
    l->sol = sol_new(&login, &sol_settings_default, &events, 0, &l->err);
    assert_non_null(l->sol);
    l->redir = sol_session(l->sol);
    assert_int_equal(feed(l, said, sizeof(said)), 0);
    uv_run(&l->loop, UV_RUN_DEFAULT);
    assert_true(l->got);
}

static void end(struct login *l)
{
    redir_free(l->redir);
    ticket_free(l->ticket);
    uv_loop_close(&l->loop);
}

/* The device looks at the token and lets the client in, or not. */
static int answer(struct login *l, bool give_proof, bool spoil_proof)
{
    struct view out = redir_output(l->redir);
    struct rd r = rd_init(out.p, out.n);
    struct buf reply = buf_init(PROOF_MAX);
    gss_buffer_desc input, proof = GSS_C_EMPTY_BUFFER;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    OM_uint32 minor, major;
    struct view token;
    int status;

    rd_skip(&r, 8 + 9); /* start, query */
    assert_int_equal(rd_le32(&r), 0x13);
    assert_int_equal(rd_u8(&r), 2);
    token = rd_bytes(&r, rd_le32(&r));
    assert_true(rd_end(&r));
    input.length = token.n;
    input.value = (void *)token.p;
    major = gss_accept_sec_context(&minor, &context, GSS_C_NO_CREDENTIAL, &input, GSS_C_NO_CHANNEL_BINDINGS,
                                   NULL, NULL, &proof, NULL, NULL, NULL);
    redir_sent(l->redir, out.n, 0);
    if (spoil_proof && proof.length > 20)
        ((char *)proof.value)[proof.length - 10] ^= 0x55;
    wr_le32(&reply, 0x14 | (major == GSS_S_COMPLETE ? 0 : 0x100));
    wr_u8(&reply, 2);
    wr_le32(&reply, give_proof ? (uint32_t)proof.length : 0);
    wr_bytes(&reply, proof.value, give_proof ? proof.length : 0);
    assert_true(buf_ok(&reply));
    status = feed(l, reply.p, reply.len);
    gss_release_buffer(&minor, &proof);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    buf_free(&reply);
    return status;
}

static void opens(const struct login *l)
{
    struct view out = redir_output(l->redir);

    assert_string_equal(l->err.text, "");
    assert_int_equal(out.n, 24);
    assert_int_equal(out.p[0], 0x20);
}

static void let_in(void **state)
{
    struct login l;

    (void)state;
    for (int proof = 0; proof < 2; proof++) {
        begin(&l, "pc1.example");
        assert_int_equal(answer(&l, proof, false), 0);
        opens(&l);
        assert_int_equal(redir_info(l.redir)->method, REDIR_KERBEROS);
        end(&l);
    }
}

static void service_without_a_port(void **state)
{
    struct login l;

    (void)state;
    begin(&l, "pc2.example");
    assert_int_equal(answer(&l, true, false), 0);
    opens(&l);
    end(&l);
}

static void no_ticket(void **state)
{
    struct login l;

    (void)state;
    begin(&l, "pc3.example");
    assert_int_equal(l.failure.cause, CAUSE_NO_TICKET);
    print_message("    %s\n", l.failure.text);
    end(&l);
}

static void refused(void **state)
{
    struct login l;

    (void)state;
    begin(&l, "pc4.example"); /* for which the device has no key */
    assert_int_equal(answer(&l, false, false), -1);
    assert_int_equal(l.err.cause, CAUSE_AUTH_FAILED);
    end(&l);
}

static void wrong_proof(void **state)
{
    struct login l;

    (void)state;
    begin(&l, "pc1.example");
    assert_int_equal(answer(&l, true, true), -1);
    assert_int_equal(l.err.cause, CAUSE_AUTH_FAILED);
    print_message("    %s\n", l.err.text);
    end(&l);
}

/* The session goes while its ticket is being got. */
static void given_up(void **state)
{
    struct login l;

    (void)state;
    memset(&l, 0, sizeof(l));
    uv_loop_init(&l.loop);
    l.host = "pc1.example";
    on_token(&l);
    ticket_free(l.ticket);
    uv_run(&l.loop, UV_RUN_DEFAULT);
    assert_false(l.got);
    uv_loop_close(&l.loop);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(let_in),      cmocka_unit_test(service_without_a_port),
        cmocka_unit_test(no_ticket),   cmocka_unit_test(refused),
        cmocka_unit_test(wrong_proof), cmocka_unit_test(given_up),
    };

    if (argc != 3)
        return 2;
    port = (uint16_t)strtoul(argv[1], NULL, 10);
    ccache = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
