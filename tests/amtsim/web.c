#include "tests/amtsim/web.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/amtsim/digest.h"
#include "tests/amtsim/eoi.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/kerberos.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/web_fault.h"
#include "tests/amtsim/wsman.h"

#define PROOF_MAX 8192
#define CHUNK_MAX 0x513 /* bytes of a chunk; four hexadecimal digits always */

struct exchange {
    struct device *device;
    const struct http_request *request;
    bool tls;
    struct web_login *login;
    struct buf *out;
    struct web_verdict verdict;
    struct buf proof; /* for a client that logged in with a ticket: base64 */
};

static const char page_locked[] =
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"><html><head><title>Intel&reg; Active Management "
    "Technology</title></head><body><h1>Log on failed.</h1><p>Incorrect user name or password, or user "
    "account "
    "temporarily locked.</p><form method=\"GET\" action=\"/logon.htm\"><h2><input type=submit value=\"Try "
    "again\"></h2></form></body></html>\n";
static const char page_only_locked[] =
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"><html><head><title>Intel&reg; Active Management "
    "Technology</title></head><body><h1>Log on not possible.</h1><p>User account temporarily locked.</p>"
    "</body></html>\n";
static const char page_logon[] =
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"><html><head><title>Intel&reg; Active Management "
    "Technology</title></head><body><h1>Intel&reg; Active Management Technology</h1><p>Log on to the managed "
    "computer.</p><form method=\"GET\" action=\"/index.htm\"><h2><input type=submit value=\"Log On...\"></h2>"
    "</form></body></html>\n";
static const char page_off[] =
    "<html><head><title>Intel&reg; Active Management Technology</title></head>\n"
    "<body><p>Web browser access is disabled on this computer.</p></body>\n</html>\n";
static const char page_not_found[] =
    "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1>"
    "</body></html>\n";

static const char page_busy[] = "<html><head><title>503 Service Unavailable</title></head><body>"
                                "<h1>503 Service Unavailable</h1></body></html>\n";

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } table[] = {
        {200, "OK"},
        {303, "See Other"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {411, "Length Required"},
        {413, "Request Entity Too Large"},
        {431, "Request Header Fields Too Large"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].status == status)
            return table[i].reason;
    }
    return "Internal Server Error";
}

static void status_line(struct buf *out, int status)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, reason_of(status));
}

static void date_and_server(struct device *d, struct buf *out)
{
    char date[64];
    struct tm tm;
    time_t t = (time_t)(device_wall_ms(d) / 1000);
    strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&t, &tm));
    buf_puts(out, date);
    buf_printf(out, "Server: %s\r\n", d->generation->server);
}

static void page(struct exchange *x, int status, const char *headers, const char *text)
{
    status_line(x->out, status);
    date_and_server(x->device, x->out);
    buf_printf(x->out, "%sContent-Type: text/html\r\nContent-Length: %zu\r\n%s\r\n", headers, strlen(text),
               x->verdict.close ? "Connection: close\r\n" : "");
    if (!view_eq(x->request->method, "HEAD"))
        buf_puts(x->out, text);
}

/* Firmware says the same whatever the reason; a fault lets the page name the lock alone. (1.2) */
static const char *page_of(const struct exchange *x, enum digest_result why)
{
    const struct fault *locked = fault_pending(x->device, FAULT_LOCKED);
    bool tells = why == DIGEST_LOCKED && locked != NULL && locked->how == FAULT_BY_PAGE;
    return tells ? page_only_locked : page_locked;
}

/* The header order of a 401 is the recorded one. The connection always closes. */
static void unauthorized(struct exchange *x, enum digest_result why)
{
    const char *text = page_of(x, why);
    record_count(x->device, RECORD_UNAUTHORIZED);
    status_line(x->out, 401);
    digest_challenge(x->device, why == DIGEST_STALE, x->out);
    if (x->device->fleet->kerberos != NULL)
        buf_puts(x->out, "WWW-Authenticate: Negotiate\r\n");
    buf_printf(x->out,
               "Content-Type: text/html\r\nServer: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
               x->device->generation->server, strlen(text), text);
    x->verdict.close = true;
}

/* Firmware remembers a login for a connection with TLS; a ticket's for any. */
static bool is_remembered(const struct exchange *x)
{
    const struct web_login *login = x->login;
    return x->request->authorization.n == 0 && login->cached && (x->tls || login->by_ticket) &&
           login->epoch == x->device->login.epoch;
}

static enum digest_result check_login(struct exchange *x)
{
    struct device *d = x->device;
    const struct http_request *r = x->request;
    x->login->by_ticket = kerberos_is(r->authorization);
    if (!x->login->by_ticket)
        return digest_check(d, r->authorization, r->method, r->target, r->body, &x->login->realms);
    if (!kerberos_check(d, r->authorization, &x->login->realms, &x->proof)) {
        record_count(d, RECORD_LOGINS_WRONG);
        return DIGEST_WRONG;
    }
    digest_passed(d);
    return DIGEST_OK;
}

static bool logged_in(struct exchange *x)
{
    if (is_remembered(x))
        return true;
    enum digest_result result = check_login(x);
    x->login->cached = result == DIGEST_OK;
    x->login->epoch = x->device->login.epoch;
    if (result != DIGEST_OK)
        unauthorized(x, result);
    return result == DIGEST_OK;
}

static void chunked(struct buf *out, const struct buf *body)
{
    for (size_t at = 0; at < body->len;) {
        size_t n = body->len - at < CHUNK_MAX ? body->len - at : CHUNK_MAX;
        buf_printf(out, "%04zX\r\n", n);
        buf_add(out, body->p + at, n);
        buf_puts(out, "\r\n");
        at += n;
    }
    buf_puts(out, "0\r\n\r\n");
}

#define WSMAN_HEADERS "X-Frame-Options: DENY\r\nContent-Type: application/soap+xml; charset=UTF-8\r\n"
#define EOI_HEADERS                                                                                          \
    "Content-Type: text/xml; charset=UTF-8\r\nCache-Control: no-cache\r\nExpires: Thu, 26 Oct 1995 "         \
    "00:00:00 "                                                                                              \
    "GMT\r\n"

static void soap_out(struct exchange *x, int status, const char *headers, const struct buf *body)
{
    status_line(x->out, status);
    date_and_server(x->device, x->out);
    if (x->proof.len > 0)
        buf_printf(x->out, "WWW-Authenticate: Negotiate %s\r\n", buf_str(&x->proof));
    buf_printf(x->out, "%sTransfer-Encoding: chunked\r\n", headers);
    buf_puts(x->out, x->verdict.close ? "Connection: close\r\n\r\n" : "\r\n");
    size_t header = x->out->len;
    chunked(x->out, body);
    if (x->verdict.endless)
        x->out->len -= 5; /* the last chunk never comes */
    if (x->verdict.reset && x->verdict.cut == WEB_CUT_HEADER)
        x->verdict.cut = header / 2;
    else if (x->verdict.reset && x->verdict.cut == WEB_CUT_BODY)
        x->verdict.cut = header + (x->out->len - header) / 2;
}

/* A request with a document, from login to answer; how it is answered is the interface's. */
static void do_soap(struct exchange *x, const char *headers,
                    struct wsman_result (*answer)(struct exchange *x, struct buf *body))
{
    struct buf *body = &x->device->fleet->body;
    if (!view_eq(x->request->method, "POST")) {
        page(x, 405, "Allow: POST\r\n", page_not_found);
        return;
    }
    if (!logged_in(x))
        return;
    const struct fault *busy = fault_pending(x->device, FAULT_BUSY);
    if (busy != NULL && busy->how == FAULT_BY_503 &&
        fault_strike(x->device, FAULT_BUSY, NULL, NULL) != NULL) {
        page(x, 503, "", page_busy);
        return;
    }
    buf_reset(body);
    if (web_fault_before(x->device, &x->verdict))
        return;
    struct wsman_result result = answer(x, body);
    if (result.status == 401) {
        unauthorized(x, DIGEST_WRONG);
        return;
    }
    web_fault_after(x->device, &result, body, &x->verdict);
    soap_out(x, result.status, headers, body);
}

static struct wsman_result by_wsman(struct exchange *x, struct buf *body)
{
    return wsman_answer(x->device, x->request->body, x->tls, x->login->realms, body);
}

static void do_wsman(struct exchange *x)
{
    if (x->device->generation->eoi)
        page(x, 404, "", page_not_found);
    else
        do_soap(x, WSMAN_HEADERS, by_wsman);
}

static struct wsman_result by_eoi(struct exchange *x, struct buf *body)
{
    return eoi_answer(x->device, x->request->target, x->request->body, x->login->realms, body);
}

static void do_anonymous(struct exchange *x)
{
    struct buf *body = &x->device->fleet->body;
    if (!x->device->fleet->options->anonymous_identify || !view_eq(x->request->method, "POST")) {
        page(x, 404, "", page_not_found);
        return;
    }
    buf_reset(body);
    struct wsman_result result = wsman_answer(x->device, x->request->body, x->tls, 0, body);
    if (result.class_name != NULL) { /* only Identify is for everybody */
        unauthorized(x, DIGEST_NONE);
        return;
    }
    soap_out(x, result.status, WSMAN_HEADERS, body);
}

static void do_root(struct exchange *x)
{
    if (x->device->generation->web_off)
        page(x, 200, "", page_off);
    else
        page(x, 303, "Location: /logon.htm\r\n", "");
}

static void do_logon(struct exchange *x)
{
    page(x, 200, "", x->device->generation->web_off ? page_off : page_logon);
}

static void do_index(struct exchange *x)
{
    char text[512], name[DEVICE_NAME_MAX];
    if (x->device->generation->web_off) {
        page(x, 404, "", page_not_found);
        return;
    }
    if (!logged_in(x))
        return;
    snprintf(text, sizeof(text),
             "<html><head><title>Intel&reg; Active Management Technology</title></head><body><h1>System "
             "Status</h1><p>Computer: %s<br>Power: %s</p></body></html>\n",
             device_host_name(x->device, name), x->device->machine->state == MACHINE_ON ? "On" : "Off");
    page(x, 200, "", text);
}

/* What there is; pages are read, /wsman is posted to. */
static const struct {
    const char *path;
    void (*run)(struct exchange *x);
} paths[] = {
    {"/wsman", do_wsman},     {"/wsman-anon/identify", do_anonymous},
    {"/", do_root},           {"/logon.htm", do_logon},
    {"/index.htm", do_index},
};

static void route(struct exchange *x)
{
    bool get = view_eq(x->request->method, "GET") || view_eq(x->request->method, "HEAD");
    if (eoi_serves(x->device, x->request->target)) {
        do_soap(x, EOI_HEADERS, by_eoi);
        return;
    }
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (!view_eq(x->request->target, paths[i].path))
            continue;
        if (!get && strncmp(paths[i].path, "/wsman", 6) != 0)
            page(x, 405, "Allow: GET, HEAD\r\n", page_not_found);
        else
            paths[i].run(x);
        return;
    }
    page(x, 404, "", page_not_found);
}

struct web_verdict web_answer(struct device *device, const struct http_request *request, bool tls,
                              struct web_login *login, struct buf *out)
{
    struct exchange x = {device, request, tls, login, out, {.close = request->close}, buf_init(PROOF_MAX)};
    record_count(device, RECORD_REQUESTS);
    if (!web_fault_instead(device, &x.verdict, out))
        route(&x);
    buf_free(&x.proof);
    return x.verdict;
}

void web_bad_request(struct device *device, int status, struct buf *out)
{
    static const struct http_request none = {0};
    struct exchange x = {.device = device, .request = &none, .out = out, .verdict = {.close = true}};
    record_count(device, RECORD_BAD_REQUESTS);
    page(&x, status, "", "<html><head><title>Error</title></head><body></body></html>\n");
}
