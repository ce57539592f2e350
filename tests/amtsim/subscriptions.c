#include "tests/amtsim/subscriptions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "tests/amtsim/alert_post.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"

#define NS_SOAP       "http://www.w3.org/2003/05/soap-envelope"
#define NS_ADDRESSING "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define NS_EVENTING   "http://schemas.xmlsoap.org/ws/2004/08/eventing"
#define NS_TRUST      "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define NS_WSSE       "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
#define MODE_PUSH     NS_EVENTING "/DeliveryModes/Push"
#define MODE_ACK      "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck"
#define HEADERS_MAX   2048

const char *const collection_names[COLLECTIONS + 1] = {
    [COLLECTION_ALL] = "Intel(r) AMT:All",
    [COLLECTION_PLATFORM] = "Intel(r) AMT:Platform",
    [COLLECTION_FEATURES] = "Intel(r) AMT:Features",
    [COLLECTION_USER] = "Intel(r) AMT:User Notification",
};

/* --- what a Subscribe says --- */

/* An element as it was given, without its attributes, under a prefix of its own. */
static void copy_element(struct xml_doc *doc, struct xml_el el, struct buf *out)
{
    struct xml_el child = xml_child(el, NULL, NULL);
    buf_printf(out, "<m:%s xmlns:m=\"", xml_name(el));
    xml_escape(out, xml_ns(el));
    buf_puts(out, "\">");
    if (child.node == NULL)
        xml_escape(out, xml_text(doc, el));
    for (; child.node != NULL; child = xml_next(child, NULL, NULL))
        copy_element(doc, child, out);
    buf_printf(out, "</m:%s>", xml_name(el));
}

static bool read_headers(const struct call *c, struct xml_el notify_to, struct subscription *s)
{
    struct buf out = buf_init(HEADERS_MAX);
    struct xml_el el = xml_child(xml_child(notify_to, NS_ADDRESSING, "ReferenceParameters"), NULL, NULL);
    for (; el.node != NULL; el = xml_next(el, NULL, NULL))
        copy_element(c->message->doc, el, &out);
    bool ok = buf_ok(&out);
    s->headers = xstrdup(buf_str(&out));
    buf_free(&out);
    return ok;
}

/* User and password for a sink that asks for digest, in a token of the header. */
static void read_token(const struct call *c, struct subscription *s)
{
    struct xml_doc *doc = c->message->doc;
    struct xml_el el = xml_child(xml_root(doc), NS_SOAP, "Header");
    static const char *const way[] = {"IssuedTokens", "RequestSecurityTokenResponse",
                                      "RequestedSecurityToken"};
    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
        el = xml_child(el, NS_TRUST, way[i]);
    el = xml_child(el, NS_WSSE, "UsernameToken");
    if (el.node == NULL)
        return;
    s->user = xstrdup(xml_text(doc, xml_child(el, NS_WSSE, "Username")));
    s->password = xstrdup(xml_text(doc, xml_child(el, NS_WSSE, "Password")));
}

static enum soap_fault read_delivery(const struct call *c, struct subscription *s)
{
    struct xml_doc *doc = c->message->doc;
    struct xml_el delivery = xml_child(c->in, NS_EVENTING, "Delivery");
    struct xml_el notify_to = xml_child(delivery, NS_EVENTING, "NotifyTo");
    const char *mode = xml_attr(doc, delivery, "Mode");
    const char *url = xml_text(doc, xml_child(notify_to, NS_ADDRESSING, "Address"));
    if (!xml_is(c->in, NS_EVENTING, "Subscribe") || notify_to.node == NULL)
        return SOAP_EVENT_INVALID;
    s->ack = mode != NULL && strcmp(mode, MODE_ACK) == 0;
    if (mode != NULL && !s->ack && strcmp(mode, MODE_PUSH) != 0)
        return SOAP_EVENT_MODE;
    if (strlen(url) > SUBSCRIPTION_URL_MAX || !alert_post_can_reach(url) || !read_headers(c, notify_to, s))
        return SOAP_EVENT_UNABLE;
    s->url = xstrdup(url);
    read_token(c, s);
    return SOAP_OK;
}

/* --- keeping --- */

static void free_alert(struct waiting_alert *alert)
{
    free(alert->document);
    free(alert);
}

static void free_subscription(struct subscription *s)
{
    alert_post_cancel(s->post);
    while (s->queue != NULL) {
        struct waiting_alert *alert = s->queue;
        s->queue = alert->next;
        free_alert(alert);
    }
    free(s->url);
    free(s->headers);
    free(s->user);
    free(s->password);
    free(s);
}

unsigned subscription_count(const struct device *d)
{
    const struct subscription *s;
    unsigned n = 0;
    LL_COUNT(d->subscriptions, s, n);
    return n;
}

struct subscription *subscription_at(const struct device *d, unsigned i)
{
    struct subscription *s = d->subscriptions;
    while (s != NULL && i-- > 0)
        s = s->next;
    return s;
}

void subscription_add(struct call *c, struct epr *manager)
{
    struct device *d = c->device;
    struct subscription *s = xcalloc(1, sizeof(*s));
    s->device = d;
    s->collection = (enum collection)c->instance;
    c->fault = read_delivery(c, s);
    if (c->fault == SOAP_OK && subscription_count(d) == SUBSCRIPTIONS_MAX)
        c->fault = SOAP_EVENT_UNABLE;
    if (c->fault != SOAP_OK) {
        free_subscription(s);
        return;
    }
    snprintf(s->name, sizeof(s->name), "Intel(r) AMT WSMAN Listener %u", ++d->subscription_number);
    s->filter = epr_one("CIM_FilterCollection", "InstanceID", collection_names[s->collection]);
    s->handler = (struct epr){
        .class_name = "CIM_ListenerDestinationWSManagement",
        .pairs = {{"CreationClassName", "CIM_ListenerDestinationWSManagement"},
                  {"Name", s->name},
                  {"SystemCreationClassName", "CIM_ComputerSystem"},
                  {"SystemName", "Intel(r) AMT"}},
        .count = 4,
    };
    *manager = (struct epr){
        .class_name = "CIM_FilterCollectionSubscription",
        .pairs = {{"Filter", "", &s->filter}, {"Handler", "", &s->handler}},
        .count = 2,
    };
    LL_APPEND(d->subscriptions, s);
}

void subscription_remove(struct subscription *s)
{
    LL_DELETE(s->device->subscriptions, s);
    free_subscription(s);
}

void subscriptions_free(struct device *d)
{
    while (d->subscriptions != NULL)
        subscription_remove(d->subscriptions);
}

/* --- telling --- */

static void post_next(struct subscription *s)
{
    if (s->queue != NULL && s->post == NULL)
        s->post = alert_post_start(s);
}

void subscription_tell(struct subscription *s, const char *id, char *document)
{
    if (s->queued == SUBSCRIPTION_QUEUE_MAX) {
        free(document);
        record_count(s->device, RECORD_ALERTS_LOST);
        return;
    }
    struct waiting_alert *alert = xcalloc(1, sizeof(*alert));
    snprintf(alert->id, sizeof(alert->id), "%s", id);
    alert->document = document;
    LL_APPEND(s->queue, alert);
    s->queued++;
    post_next(s);
}

void subscription_told(struct subscription *s, bool delivered)
{
    struct waiting_alert *alert = s->queue;
    s->queue = alert->next;
    s->queued--;
    s->post = NULL;
    free_alert(alert);
    record_count(s->device, delivered ? RECORD_ALERTS_SENT : RECORD_ALERTS_LOST);
    post_next(s);
}
