#include "tests/amtsim/message.h"

#include <string.h>

#include "base/text.h"

#define NS_SOAP        "http://www.w3.org/2003/05/soap-envelope"
#define NS_ADDRESSING  "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define NS_WSMAN       "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
#define NS_IDENTITY    "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
#define NS_TRANSFER    "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
#define NS_ENUMERATION "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
#define NS_EVENTING    "http://schemas.xmlsoap.org/ws/2004/08/eventing/"

#define ENVELOPE_SIZE_MIN 50000

static const struct {
    const char *action;
    enum message_op op;
} actions[] = {
    {NS_TRANSFER "Get", MESSAGE_GET},
    {NS_TRANSFER "Put", MESSAGE_PUT},
    {NS_TRANSFER "Create", MESSAGE_CREATE},
    {NS_TRANSFER "Delete", MESSAGE_DELETE},
    {NS_ENUMERATION "Enumerate", MESSAGE_ENUMERATE},
    {NS_ENUMERATION "Pull", MESSAGE_PULL},
    {NS_ENUMERATION "Release", MESSAGE_RELEASE},
    {NS_EVENTING "Subscribe", MESSAGE_SUBSCRIBE},
    {NS_EVENTING "Unsubscribe", MESSAGE_UNSUBSCRIBE},
};

static bool is_true(const char *text)
{
    return text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

/* The text of an element without white space in front of it; some clients break lines inside headers. */
static const char *text_of(struct xml_doc *doc, struct xml_el el)
{
    const char *text = xml_text(doc, el);
    return text + strspn(text, " \t\r\n");
}

bool message_epr(const struct message *m, struct xml_el el, struct epr *out)
{
    struct xml_el params = xml_child(el, NS_ADDRESSING, "ReferenceParameters");
    struct xml_el uri = xml_child(params, NS_WSMAN, "ResourceURI");
    if (uri.node == NULL)
        return false;
    const char *text = text_of(m->doc, uri);
    const char *slash = strrchr(text, '/');
    *out = (struct epr){.class_name = slash != NULL ? slash + 1 : text};
    struct xml_el set = xml_child(params, NS_WSMAN, "SelectorSet");
    struct xml_el s = xml_child(set, NS_WSMAN, "Selector");
    for (; s.node != NULL; s = xml_next(s, NS_WSMAN, "Selector")) {
        const char *name = xml_attr(m->doc, s, "Name");
        if (name == NULL || out->count == EPR_SELECTORS_MAX)
            return false;
        out->pairs[out->count++] = (struct epr_pair){.name = name, .value = xml_text(m->doc, s)};
    }
    return true;
}

static enum soap_fault read_selectors(struct message *m, struct xml_el set)
{
    struct xml_el s = xml_child(set, NS_WSMAN, "Selector");
    for (; s.node != NULL; s = xml_next(s, NS_WSMAN, "Selector")) {
        const char *name = xml_attr(m->doc, s, "Name");
        if (name == NULL || m->selector_count == MESSAGE_SELECTORS_MAX)
            return SOAP_INVALID_SELECTORS;
        struct selector *out = &m->selectors[m->selector_count++];
        *out = (struct selector){.name = name, .value = xml_text(m->doc, s)};
        struct xml_el epr = xml_child(s, NS_ADDRESSING, "EndpointReference");
        if (epr.node != NULL) {
            if (!message_epr(m, epr, &out->epr))
                return SOAP_INVALID_SELECTORS;
            out->is_epr = true;
        }
    }
    return SOAP_OK;
}

/* What the optional headers ask of us. (2.2) */
static enum soap_fault check_options(struct message *m, struct xml_el header)
{
    struct xml_el options = xml_child(header, NS_WSMAN, "OptionSet");
    if (options.node != NULL && is_true(xml_attr(m->doc, options, "mustUnderstand")))
        return SOAP_MUST_UNDERSTAND;
    struct xml_el option = xml_child(options, NS_WSMAN, "Option");
    for (; option.node != NULL; option = xml_next(option, NS_WSMAN, "Option")) {
        if (is_true(xml_attr(m->doc, option, "MustComply")))
            return SOAP_UNSUPPORTED;
    }
    if (xml_child(header, NS_WSMAN, "FragmentTransfer").node != NULL)
        return SOAP_UNSUPPORTED;
    struct xml_el size = xml_child(header, NS_WSMAN, "MaxEnvelopeSize");
    uint64_t bytes;
    if (size.node != NULL &&
        (!text_u64(xml_text(m->doc, size), 0, UINT32_MAX, &bytes) || bytes < ENVELOPE_SIZE_MIN))
        return SOAP_ENVELOPE_TOO_SMALL;
    return SOAP_OK;
}

static enum soap_fault read_action(struct message *m)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(m->action, actions[i].action) == 0) {
            m->op = actions[i].op;
            return SOAP_OK;
        }
    }
    size_t n = strlen(m->uri);
    if (strncmp(m->action, m->uri, n) != 0 || m->action[n] != '/' || m->action[n + 1] == '\0')
        return SOAP_ACTION_NOT_SUPPORTED;
    m->op = MESSAGE_INVOKE;
    m->method = m->action + n + 1;
    return SOAP_OK;
}

/* Class and namespace must fit: the namespace is part of the class's identity. */
static enum soap_fault read_class(struct message *m)
{
    const char *slash = strrchr(m->uri, '/');
    m->class_name = slash != NULL ? slash + 1 : m->uri;
    const char *ns = epr_namespace(m->class_name);
    size_t n = (size_t)(m->class_name - m->uri);
    if (ns == NULL || strlen(ns) != n || strncmp(ns, m->uri, n) != 0)
        return SOAP_DESTINATION_UNREACHABLE;
    return SOAP_OK;
}

enum soap_fault message_parse(struct message *m, const void *p, size_t n)
{
    *m = (struct message){.id = "0", .action = "", .uri = "", .class_name = ""};
    if (n > MESSAGE_MAX)
        return SOAP_ENCODING_LIMIT;
    m->doc = xml_parse(p, n, MESSAGE_MAX, "request", NULL);
    if (m->doc == NULL)
        return SOAP_SCHEMA;
    struct xml_el root = xml_root(m->doc);
    if (!xml_is(root, NS_SOAP, "Envelope"))
        return SOAP_SCHEMA;
    struct xml_el header = xml_child(root, NS_SOAP, "Header");
    struct xml_el body = xml_child(root, NS_SOAP, "Body");
    if (body.node == NULL)
        return SOAP_SCHEMA;
    m->body = xml_child(body, NULL, NULL);
    if (xml_is(m->body, NS_IDENTITY, "Identify")) {
        m->op = MESSAGE_IDENTIFY;
        return SOAP_OK;
    }
    struct xml_el id = xml_child(header, NS_ADDRESSING, "MessageID");
    struct xml_el action = xml_child(header, NS_ADDRESSING, "Action");
    struct xml_el uri = xml_child(header, NS_WSMAN, "ResourceURI");
    if (id.node != NULL)
        m->id = xml_text(m->doc, id);
    if (action.node == NULL || uri.node == NULL || id.node == NULL ||
        xml_child(header, NS_ADDRESSING, "To").node == NULL)
        return SOAP_HEADER_REQUIRED;
    m->action = text_of(m->doc, action);
    m->uri = text_of(m->doc, uri);
    enum soap_fault fault;
    if ((fault = check_options(m, header)) != SOAP_OK || (fault = read_class(m)) != SOAP_OK ||
        (fault = read_action(m)) != SOAP_OK)
        return fault;
    return read_selectors(m, xml_child(header, NS_WSMAN, "SelectorSet"));
}

void message_clear(struct message *m)
{
    xml_free(m->doc);
    *m = (struct message){.id = "0"};
}
