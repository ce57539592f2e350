#include "tests/amtsim/web_fault.h"

#include <string.h>

#define HUGE_DEFAULT (32u << 20)

bool web_fault_instead(struct device *device, struct web_verdict *verdict, struct buf *out)
{
    static const char other[] =
        "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\n"
        "Content-Length: 22\r\nConnection: keep-alive\r\n\r\n<html>not here</html>\n";
    static const char garbage[] = "\x16\x03\x01SSH-2.0-noise\r\n\x01\x80\xff\xfe{]\n\n\r\r";
    if (device->plan == NULL)
        return false;
    if (fault_strike(device, FAULT_NOT_AMT, NULL, NULL) != NULL) {
        buf_puts(out, other);
        return true;
    }
    if (fault_strike(device, FAULT_GARBAGE, NULL, NULL) != NULL) {
        buf_add(out, garbage, sizeof(garbage) - 1);
        verdict->close = true;
        return true;
    }
    if (fault_strike(device, FAULT_SILENT, NULL, NULL) != NULL) {
        verdict->silent = true;
        return true;
    }
    return false;
}

bool web_fault_before(struct device *device, struct web_verdict *verdict)
{
    if (device->plan == NULL)
        return false;
    const struct fault *drop = fault_pending(device, FAULT_DROP);
    if (drop != NULL && drop->at == FAULT_AT_REQUEST && drop->on == NULL &&
        fault_strike(device, FAULT_DROP, NULL, NULL) != NULL) {
        verdict->reset = true;
        return true;
    }
    return false;
}

/* <!DOCTYPE ...> with entities that grow tenfold nine times. */
static void bomb(struct buf *body)
{
    buf_reset(body);
    buf_puts(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE a [<!ENTITY e0 \"boom\">");
    for (int i = 1; i < 10; i++) {
        buf_printf(body, "<!ENTITY e%d \"", i);
        for (int k = 0; k < 10; k++)
            buf_printf(body, "&e%d;", i - 1);
        buf_puts(body, "\">");
    }
    buf_puts(body, "]><a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\"><a:Header></a:Header>"
                   "<a:Body><x>&e9;</x></a:Body></a:Envelope>");
}

/* Ends the document in the middle of its last tags. */
static void malform(struct buf *body)
{
    if (body->len > 40)
        body->len -= 40;
    buf_puts(body, "<g:Unclosed></a:Body");
}

static void grow(struct buf *body, uint32_t bytes)
{
    static const char end[] = "</a:Body></a:Envelope>";
    if (body->len < sizeof(end))
        return;
    body->len -= sizeof(end) - 1;
    while (body->len < bytes)
        buf_puts(body,
                 "<g:Filler>0123456789012345678901234567890123456789012345678901234567890123</g:Filler>");
    buf_puts(body, end);
}

static void cut(struct device *device, const struct wsman_result *result, struct web_verdict *verdict)
{
    const struct fault *drop = fault_pending(device, FAULT_DROP);
    verdict->reset |= result->lost;
    if (drop == NULL || drop->at < FAULT_AT_HEADER || (drop->at == FAULT_AT_CHANGE && !result->acted) ||
        fault_strike(device, FAULT_DROP, result->class_name, result->method) == NULL)
        return;
    verdict->reset = true;
    verdict->cut = drop->at == FAULT_AT_HEADER ? WEB_CUT_HEADER
                   : drop->at == FAULT_AT_BODY ? WEB_CUT_BODY
                                               : 0;
}

void web_fault_after(struct device *device, const struct wsman_result *result, struct buf *body,
                     struct web_verdict *verdict)
{
    const char *name = result->class_name, *method = result->method;
    const struct fault *f;
    if (device->plan == NULL)
        return;
    if ((f = fault_strike(device, FAULT_SLOW, name, method)) != NULL)
        verdict->delay_ms = f->ms;
    if ((f = fault_strike(device, FAULT_TRICKLE, name, method)) != NULL)
        verdict->trickle_ms = f->ms;
    if (fault_strike(device, FAULT_MALFORMED_XML, name, method) != NULL)
        malform(body);
    if ((f = fault_strike(device, FAULT_HUGE, name, method)) != NULL)
        grow(body, f->bytes != 0 ? f->bytes : HUGE_DEFAULT);
    if (fault_strike(device, FAULT_XML_BOMB, name, method) != NULL)
        bomb(body);
    if (fault_strike(device, FAULT_ENDLESS, name, method) != NULL) {
        verdict->endless = true;
        malform(body);
    }
    cut(device, result, verdict);
}
