#include "tests/amtsim/envelope.h"

#include <stdio.h>

#include "tests/amtsim/out.h"

#define DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define ANONYMOUS   "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
#define SOAP        "http://www.w3.org/2003/05/soap-envelope"
#define ADDRESSING  "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define WSMAN       "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
#define TRUST       "http://schemas.xmlsoap.org/ws/2005/02/trust"
#define WSSE        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
#define BINDING     "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
#define ALERT_URI   "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_AlertIndication"
#define COMMON      "http://schemas.dmtf.org/wbem/wscim/1/common"
#define EVENT       "http://schemas.dmtf.org/wbem/wsman/1/wsman/Event"
#define XSI         "http://www.w3.org/2001/XMLSchema-instance"

static const char answer_head[] =
    DECLARATION "<a:Envelope xmlns:a=\"" SOAP "\" xmlns:b=\"" ADDRESSING "\" xmlns:c=\"" WSMAN
                "\" xmlns:d=\"" TRUST "\" xmlns:e=\"" WSSE "\" xmlns:f=\"" BINDING "\"";

static const char fault_head[] = DECLARATION
    "<a:Envelope xmlns:g=\"" BINDING "\" xmlns:f=\"http://schemas.xmlsoap.org/ws/2004/08/eventing\""
    " xmlns:e=\"" WSMAN "\" xmlns:d=\"http://schemas.xmlsoap.org/ws/2004/09/transfer\""
    " xmlns:c=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" xmlns:b=\"" ADDRESSING
    "\" xmlns:a=\"" SOAP "\" xmlns:h=\"" TRUST "\" xmlns:i=\"" WSSE "\" xmlns:xsi=\"" XSI "\">";

static void begin_header(struct buf *b, const struct message *m)
{
    buf_puts(b, "<a:Header><b:To>" ANONYMOUS "</b:To><b:RelatesTo>");
    out_text(b, m->id);
    buf_puts(b, "</b:RelatesTo><b:Action a:mustUnderstand=\"true\">");
}

/* The counter runs over all answers since the ME was reset. */
static void message_id(struct buf *b, struct device *device)
{
    buf_printf(b, "</b:Action><b:MessageID>uuid:00000000-8086-8086-8086-%012X</b:MessageID>",
               ++device->message_id);
}

void envelope_begin(struct buf *b, struct device *device, const struct message *m,
                    const char *const *namespaces)
{
    buf_add(b, answer_head, sizeof(answer_head) - 1);
    for (char prefix = 'g'; *namespaces != NULL; namespaces++, prefix++) {
        buf_puts(b, " xmlns:");
        buf_putc(b, prefix);
        buf_puts(b, "=\"");
        buf_puts(b, *namespaces);
        buf_putc(b, '"');
    }
    buf_puts(b, " xmlns:xsi=\"" XSI "\">");
    begin_header(b, m);
    out_text(b, m->action);
    buf_puts(b, "Response");
    message_id(b, device);
    buf_puts(b, "<c:ResourceURI>");
    out_text(b, m->uri);
    buf_puts(b, "</c:ResourceURI></a:Header><a:Body>");
}

void envelope_end(struct buf *b)
{
    buf_puts(b, "</a:Body></a:Envelope>");
}

void envelope_event(struct buf *b, struct device *device, bool ack, const char *headers, char *id)
{
    snprintf(id, ENVELOPE_ID_MAX, "uuid:00000000-8086-8086-8086-%012X", ++device->message_id);
    buf_add(b, answer_head, sizeof(answer_head) - 1);
    buf_printf(b,
               " xmlns:g=\"" ALERT_URI "\" xmlns:h=\"" COMMON "\" xmlns:xsi=\"" XSI
               "\"><a:Header><b:To>" ANONYMOUS "</b:To><b:ReplyTo><b:Address>" ANONYMOUS
               "</b:Address></b:ReplyTo>%s<b:Action a:mustUnderstand=\"true\">" EVENT
               "</b:Action><b:MessageID>%s</b:MessageID><c:ResourceURI>" ALERT_URI "</c:ResourceURI>%s"
               "</a:Header><a:Body>",
               ack ? "<c:AckRequested></c:AckRequested>" : "", id, headers);
}

void envelope_fault(struct buf *b, struct device *device, const struct message *m, enum soap_fault fault)
{
    const struct soap_fault_text *t = soap_fault_text(fault);
    buf_add(b, fault_head, sizeof(fault_head) - 1);
    begin_header(b, m);
    buf_puts(b, t->action);
    message_id(b, device);
    buf_printf(b, "</a:Header><a:Body><a:Fault><a:Code><a:Value>%s</a:Value>", t->code);
    if (t->subcode != NULL)
        buf_printf(b, "<a:Subcode><a:Value>%s</a:Value></a:Subcode>", t->subcode);
    buf_printf(b, "</a:Code><a:Reason><a:Text xml:lang=\"en-US\">%s</a:Text></a:Reason><a:Detail>",
               t->reason);
    if (t->detail != NULL) {
        buf_printf(b,
                   "<e:FaultDetail>http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/%s</e:FaultDetail>",
                   t->detail);
    }
    buf_puts(b, "</a:Detail></a:Fault></a:Body></a:Envelope>");
}

void envelope_identify(struct buf *b, const struct device *device, bool tls)
{
    buf_printf(b,
               DECLARATION
               "<a:Envelope xmlns:a=\"" SOAP
               "\" xmlns:b=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\""
               " xmlns:c=\"http://schemas.dmtf.org/wbem/dash/1/dash.xsd\" xmlns:xsi=\"" XSI "\">"
               "<a:Header></a:Header><a:Body><b:IdentifyResponse><b:ProtocolVersion>" WSMAN
               "</b:ProtocolVersion><b:ProductVendor>Intel(r)</b:ProductVendor>"
               "<b:ProductVersion>AMT %s</b:ProductVersion><c:DASHVersion>1.0.0</c:DASHVersion>"
               "<b:SecurityProfiles><b:SecurityProfileName>"
               "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/%s/digest"
               "</b:SecurityProfileName></b:SecurityProfiles></b:IdentifyResponse></a:Body></a:Envelope>",
               device->generation->version, tls ? "https" : "http");
}
