/* Requests as text. Element order and prefixes are those that clients in the field have proved on all
 * generations: Action, To, ResourceURI, MessageID, ReplyTo, OperationTimeout, SelectorSet. (reference
 * wsman.md, section 2.2, 2.4) */
#include <string.h>

#include "base/xml.h"
#include "wsman/names.h"
#include "wsman/request.h"
#include "wsman/request_internal.h"

#define OPERATION_TIMEOUT "PT60S" /* firmware works with at least 30 s whatever is asked */

static const char envelope_start[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Envelope xmlns=\"" NS_SOAP
                                     "\" xmlns:a=\"" NS_ADDRESSING "\" xmlns:w=\"" NS_WSMAN "\">";

bool wsman_class_ns(const char *class_name, struct buf *out)
{
    static const struct {
        const char *prefix;
        const char *uri;
    } schemas[] = {
        {"AMT_", "http://intel.com/wbem/wscim/1/amt-schema/1/"},
        {"IPS_", "http://intel.com/wbem/wscim/1/ips-schema/1/"},
        {"CIM_", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"},
    };

    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        if (strncmp(class_name, schemas[i].prefix, 4) == 0) {
            buf_puts(out, schemas[i].uri);
            buf_puts(out, class_name);
            return true;
        }
    }
    return false;
}

/* --- parts --- */

static void write_selectors(const struct part *selectors, size_t count, struct buf *out);

static void write_epr(const struct part *epr, struct buf *out)
{
    buf_puts(out, "<a:Address>" URI_ANONYMOUS "</a:Address><a:ReferenceParameters><w:ResourceURI>");
    if (!wsman_class_ns(epr->value, out))
        xml_escape(out, epr->value);
    buf_puts(out, "</w:ResourceURI>");
    write_selectors(epr->parts, epr->count, out);
    buf_puts(out, "</a:ReferenceParameters>");
}

static void write_selectors(const struct part *selectors, size_t count, struct buf *out)
{
    if (count == 0)
        return;
    buf_puts(out, "<w:SelectorSet>");
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, "<w:Selector Name=\"");
        xml_escape(out, selectors[i].name);
        buf_puts(out, "\">");
        if (selectors[i].kind == PART_EPR) {
            buf_puts(out, "<a:EndpointReference>");
            write_epr(&selectors[i], out);
            buf_puts(out, "</a:EndpointReference>");
        } else {
            xml_escape(out, selectors[i].value);
        }
        buf_puts(out, "</w:Selector>");
    }
    buf_puts(out, "</w:SelectorSet>");
}

/* "<r:Name" or "</r:Name", without its end. */
static void write_tag(const char *open, const char *prefix, const char *name, struct buf *out)
{
    buf_puts(out, open);
    buf_puts(out, prefix);
    buf_putc(out, ':');
    buf_puts(out, name);
}

static void write_part(const struct part *part, const char *prefix, struct buf *out)
{
    write_tag("<", prefix, part->name, out);
    if (part->kind == PART_TREE && part->ns) {
        buf_puts(out, " xmlns:t=\"");
        xml_escape(out, part->ns);
        buf_puts(out, "\"");
    }
    buf_puts(out, ">");
    switch (part->kind) {
    case PART_TEXT:
    case PART_SECRET:
        xml_escape(out, part->value);
        break;
    case PART_DATETIME:
    case PART_INTERVAL:
        buf_printf(out, "<p:%s xmlns:p=\"" NS_COMMON "\">",
                   part->kind == PART_DATETIME ? "Datetime" : "Interval");
        xml_escape(out, part->value);
        buf_printf(out, "</p:%s>", part->kind == PART_DATETIME ? "Datetime" : "Interval");
        break;
    case PART_EPR:
        write_epr(part, out);
        break;
    case PART_TREE:
        for (size_t i = 0; i < part->count; i++)
            write_part(&part->parts[i], part->ns ? "t" : prefix, out);
        break;
    }
    write_tag("</", prefix, part->name, out);
    buf_putc(out, '>');
}

/* --- header --- */

static void write_action(const struct wsman_request *rq, struct buf *out)
{
    static const char *const actions[] = {
        [WSMAN_GET] = NS_TRANSFER "/Get",
        [WSMAN_PUT] = NS_TRANSFER "/Put",
        [WSMAN_CREATE] = NS_TRANSFER "/Create",
        [WSMAN_DELETE] = NS_TRANSFER "/Delete",
        [WSMAN_ENUMERATE] = NS_ENUM "/Enumerate",
        [WSMAN_SUBSCRIBE] = NS_EVENTING "/Subscribe",
        [WSMAN_UNSUBSCRIBE] = NS_EVENTING "/Unsubscribe",
    };

    if (rq->verb == WSMAN_INVOKE) {
        wsman_class_ns(rq->class_name, out);
        buf_putc(out, '/');
        xml_escape(out, rq->method);
    } else {
        buf_puts(out, actions[rq->verb]);
    }
}

/* A sink that asks for a login gets it by a token in the header (section 3.7). */
static void write_token(const struct wsman_request *rq, struct buf *out)
{
    if (rq->verb != WSMAN_SUBSCRIBE || !rq->delivery.user)
        return;
    buf_puts(out, "<t:IssuedTokens xmlns:t=\"" NS_TRUST "\" xmlns:se=\"" NS_WSSE
                  "\"><t:RequestSecurityTokenResponse>"
                  "<t:TokenType>http://docs.oasis-open.org/wss/2004/01/"
                  "oasis-200401-wss-username-token-profile-1.0#UsernameToken</t:TokenType>"
                  "<t:RequestedSecurityToken><se:UsernameToken><se:Username>");
    xml_escape(out, rq->delivery.user);
    buf_puts(out, "</se:Username><se:Password Type=\"http://docs.oasis-open.org/wss/2004/01/"
                  "oasis-200401-wss-username-token-profile-1.0#PasswordText\">");
    xml_escape(out, rq->delivery.password ? rq->delivery.password : "");
    buf_puts(out,
             "</se:Password></se:UsernameToken></t:RequestedSecurityToken></t:RequestSecurityTokenResponse>"
             "</t:IssuedTokens>");
}

/* action NULL: that of the request. */
static void write_header(const struct wsman_request *rq, const char *action, uint32_t message_id,
                         struct buf *out)
{
    buf_puts(out, envelope_start);
    buf_puts(out, "<Header><a:Action>");
    if (action)
        buf_puts(out, action);
    else
        write_action(rq, out);
    buf_puts(out, "</a:Action><a:To>/wsman</a:To><w:ResourceURI>");
    wsman_class_ns(rq->class_name, out);
    buf_puts(out, "</w:ResourceURI><a:MessageID>");
    buf_put_u64(out, message_id);
    buf_puts(out, "</a:MessageID><a:ReplyTo><a:Address>" URI_ANONYMOUS
                  "</a:Address></a:ReplyTo><w:OperationTimeout>" OPERATION_TIMEOUT "</w:OperationTimeout>");
    if (!action)
        write_selectors(rq->selectors, rq->selector_count, out);
    write_token(rq, out);
    buf_puts(out, "</Header><Body>");
}

/* --- body --- */

static void write_instance(const struct wsman_request *rq, struct buf *out)
{
    const char *suffix = rq->verb == WSMAN_INVOKE ? "_INPUT" : "";
    const char *name = rq->verb == WSMAN_INVOKE ? rq->method : rq->class_name;

    write_tag("<", "r", name, out);
    buf_puts(out, suffix);
    buf_puts(out, " xmlns:r=\"");
    wsman_class_ns(rq->class_name, out);
    buf_puts(out, "\">");
    for (size_t i = 0; i < rq->count; i++)
        write_part(&rq->parts[i], "r", out);
    write_tag("</", "r", name, out);
    buf_puts(out, suffix);
    buf_putc(out, '>');
}

static void write_subscribe(const struct wsman_request *rq, struct buf *out)
{
    buf_printf(out,
               "<e:Subscribe xmlns:e=\"" NS_EVENTING "\"><e:Delivery Mode=\"%s\"><e:NotifyTo><a:Address>",
               rq->delivery.ack ? "http://schemas.dmtf.org/wbem/wsman/1/wsman/PushWithAck"
                                : NS_EVENTING "/DeliveryModes/Push");
    xml_escape(out, rq->delivery.url ? rq->delivery.url : "");
    buf_puts(out, "</a:Address>");
    if (rq->delivery.arg) {
        buf_puts(out, "<a:ReferenceParameters><m:arg xmlns:m=\"http://x.com\">");
        xml_escape(out, rq->delivery.arg);
        buf_puts(out, "</m:arg></a:ReferenceParameters>");
    }
    buf_puts(out, "</e:NotifyTo>");
    if (rq->delivery.user)
        buf_puts(out,
                 "<w:Auth Profile=\"http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/digest\"/>");
    buf_puts(out, "</e:Delivery></e:Subscribe>");
}

static void write_body(const struct wsman_request *rq, struct buf *out)
{
    switch (rq->verb) {
    case WSMAN_PUT:
    case WSMAN_CREATE:
    case WSMAN_INVOKE:
        write_instance(rq, out);
        break;
    case WSMAN_ENUMERATE:
        buf_puts(out, "<Enumerate xmlns=\"" NS_ENUM "\" />");
        break;
    case WSMAN_SUBSCRIBE:
        write_subscribe(rq, out);
        break;
    case WSMAN_UNSUBSCRIBE:
        buf_puts(out, "<e:Unsubscribe xmlns:e=\"" NS_EVENTING "\"/>");
        break;
    case WSMAN_IDENTIFY:
    case WSMAN_GET:
    case WSMAN_DELETE:
        break;
    }
}

static int finish(const struct wsman_request *rq, struct buf *out, struct err *err)
{
    buf_puts(out, "</Body></Envelope>");
    if (buf_ok(out) && out->len <= WSMAN_ENVELOPE_MAX)
        return 0;
    return err_set(err, CAUSE_LIMIT_EXCEEDED, "%s: the request is longer than the %d bytes a device takes",
                   rq->name, WSMAN_ENVELOPE_MAX);
}

int wsman_write(const struct wsman_request *rq, uint32_t message_id, struct buf *out, struct err *err)
{
    if (rq->verb == WSMAN_IDENTIFY) {
        buf_puts(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"" NS_SOAP
                      "\" xmlns:wsmid=\"" NS_IDENTITY
                      "\"><s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>");
        return buf_ok(out) ? 0 : err_set(err, CAUSE_LIMIT_EXCEEDED, "Identify: no room for the request");
    }
    write_header(rq, NULL, message_id, out);
    write_body(rq, out);
    return finish(rq, out, err);
}

static void write_context(const char *context, struct buf *out)
{
    buf_puts(out, "<EnumerationContext>");
    xml_escape(out, context);
    buf_puts(out, "</EnumerationContext>");
}

int wsman_write_pull(const struct wsman_request *rq, uint32_t message_id, const char *context,
                     struct buf *out, struct err *err)
{
    write_header(rq, NS_ENUM "/Pull", message_id, out);
    buf_puts(out, "<Pull xmlns=\"" NS_ENUM "\">");
    write_context(context, out);
    buf_puts(out, "<MaxElements>999</MaxElements><MaxCharacters>99999</MaxCharacters></Pull>");
    return finish(rq, out, err);
}

int wsman_write_release(const struct wsman_request *rq, uint32_t message_id, const char *context,
                        struct buf *out, struct err *err)
{
    write_header(rq, NS_ENUM "/Release", message_id, out);
    buf_puts(out, "<Release xmlns=\"" NS_ENUM "\">");
    write_context(context, out);
    buf_puts(out, "</Release>");
    return finish(rq, out, err);
}
