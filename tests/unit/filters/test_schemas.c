/* The reader and both schemas say the same of files with mistakes in them: what a schema refuses the reader
 * refuses, and what the reader refuses beyond that is one of the few things that a schema cannot say
 * (docs/filters.md, "What schemas leave out"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <libxml/xmlschemas.h>

#include "base/xml.h"
#include "filters/file.h"
#include "tests/unit/filters/random_rules.h"
#include "tests/unit/filters/text_file.h"

#define FILES    3000
#define MISTAKES 2 /* in one file, at most */
#define TEXT_MAX (1U << 20)
#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))
#define STR(s)   ((const xmlChar *)(s))

/* --- what a schema leaves out, by the reader's words --- */

static const char *const beyond[] = {
    "ethertype stands alone",
    "ports need protocol=",
    "tcp-flags need protocol=",
    "icmp is of IPv4",
    "icmpv6 is of IPv6",
    "action=\"limit\" needs rate=",
    "rate needs action=",
    "any stands alone",
    "the address has bits outside its mask",
    "a flag cannot be both set and clear",
    "is taken by",
    "this name is built in",
    "expected @management",
    "expected a number up to 4294967295",
    "expected 1 to 4294967294 packets",
    "a port from 0 to 65535",
    "expected any, @name, an address",
    "an IPv4 or IPv6 address before the '/'",
    "expected after the '/' a number",
    "two addresses of one kind",
    "expected a name behind the '@'",
};

static bool is_beyond(const char *text)
{
    for (size_t i = 0; i < COUNT(beyond); i++)
        if (strstr(text, beyond[i]))
            return true;
    return false;
}

/* --- the three judges --- */

static xmlSchemaPtr xsd;
static xmlRelaxNGPtr rng;

static void hush(void *arg, const char *fmt, ...)
{
    (void)arg;
    (void)fmt;
}

static bool xsd_takes(xmlDocPtr doc)
{
    xmlSchemaValidCtxtPtr ctxt = xmlSchemaNewValidCtxt(xsd);
    bool takes;

    xmlSchemaSetValidErrors(ctxt, hush, hush, NULL);
    takes = xmlSchemaValidateDoc(ctxt, doc) == 0;
    xmlSchemaFreeValidCtxt(ctxt);
    return takes;
}

static bool rng_takes(xmlDocPtr doc)
{
    xmlRelaxNGValidCtxtPtr ctxt = xmlRelaxNGNewValidCtxt(rng);
    bool takes;

    xmlRelaxNGSetValidErrors(ctxt, hush, hush, NULL);
    takes = xmlRelaxNGValidateDoc(ctxt, doc) == 0;
    xmlRelaxNGFreeValidCtxt(ctxt);
    return takes;
}

/* Every include is the smallest document there is. */
static int read_smallest(void *arg, const char *path, struct buf *out, struct err *err)
{
    (void)arg;
    (void)path;
    (void)err;
    buf_puts(out, "<network-filters xmlns=\"" FILTER_NAMESPACE "\" name=\"i\"/>");
    return 0;
}

/* The file is longer than what a failure may say. */
static void disagree(const char *text, const char *how)
{
    fputs(text, stderr);
    fail_msg("%s", how);
}

static uint64_t taken, refused, only_reader;

static void judge(const char *text, size_t n)
{
    struct findings findings = {0};
    struct filter_file *file = filter_file_parse("t.xml", text, n, read_smallest, NULL, &findings);
    xmlDocPtr doc = xmlReadMemory(text, (int)n, "t.xml", NULL, XML_PARSE_NONET);
    bool by_xsd, by_rng;

    assert_non_null(doc);
    by_xsd = xsd_takes(doc);
    by_rng = rng_takes(doc);
    if (by_xsd != by_rng)
        disagree(text, by_xsd ? "XSD takes, RelaxNG refuses" : "RelaxNG takes, XSD refuses");
    if (!by_xsd && file)
        disagree(text, "the schemas refuse, the reader takes");
    for (size_t i = 0; by_xsd && i < findings.count; i++)
        if (findings.items[i].level == FINDING_ERROR && !is_beyond(findings.items[i].text))
            disagree(text, findings.items[i].text);
    taken += file != NULL;
    refused += !by_xsd;
    only_reader += by_xsd && !file;
    xmlFreeDoc(doc);
    filter_file_free(file);
    findings_clear(&findings);
}

/* --- mistakes --- */

/* All elements and attributes of the language, each way of writing a value. Few optional attributes in one
 * element: libxml2's RelaxNG takes twice as long for each. */
static const char usual[] =
    "<network-filters xmlns='" FILTER_NAMESPACE "' name='all' version='7' comment='c'>"
    "<policy precedence='100' default-out='drop' default-in='pass' count='yes' event='no' "
    "anti-spoofing='count' timeout-minutes='90'/>"
    "<variable name='ports' default='80-90,443'/><variable name='server' comment='must be set'/>"
    "<variable name='rate' default='10'/><include file='other.xml'/>"
    "<filter name='web' protocol='tcp' remote='10.0.0.0/8, fe80::1 10.1.0.0/255.255.0.0 10.2.0.1-10.2.0.9 "
    "a.example.com @server' remote-ports='@ports 8080' tcp-flags='syn !ack'/>"
    "<filter name='any' enabled='yes' direction='out' ip='both' action='pass'/>"
    "<filter name='local' protocol='udp' local='any' local-ports='1024-65535' count='true' event='false' "
    "comment='c'/>"
    "<filter name='ping' protocol='icmp' ip='4' action='limit' rate='@rate' direction='in'/>"
    "<filter name='arp' ethertype='arp'/><filter name='lldp' ethertype='0x88cc' action='drop'/>"
    "<filter name='old' ethertype='1536'/><filter name='esp' protocol='50' remote='@management'/>"
    "<need name='web' protocol='tcp' remote='@server' remote-ports='443' local='@host'/>"
    "<need name='nd' protocol='icmpv6' ip='6'/></network-filters>";

static const char *const values[] = {
    "",
    "yes",
    "no",
    "true",
    "pass",
    "drop",
    "limit",
    "both",
    "in",
    "out",
    "4",
    "6",
    "any",
    "tcp",
    "udp",
    "icmp",
    "icmpv6",
    "TCP",
    " tcp",
    "tcp ",
    "0",
    "00",
    "-1",
    "+1",
    "1.0",
    "255",
    "256",
    "65535",
    "65536",
    "99999",
    "100000",
    "4294967294",
    "4294967295",
    "9999999999",
    "99999999999",
    "arp",
    "eapol",
    "065535",
    "00000000001",
    "0006",
    "01536",
    "0x00600",
    "080-0000090",
    "0x0600",
    "0x600",
    "0x05ff",
    "0X0600",
    "0xffff",
    "1535",
    "1536",
    "any any",
    "any,80",
    "80,any",
    "80-",
    "-80",
    "90-80",
    "80 - 90",
    "80,,90",
    ",80,",
    "80;90",
    "@",
    "@ports",
    "@nobody",
    "@ports:1",
    "@a.b-c_d",
    "80\t90",
    "80\n90",
    "10.0.0.1",
    "10.0.0",
    "10.0.0.0/33",
    "10.0.0.0/",
    "/8",
    "fe80::/10",
    "[fe80::1]",
    "::1,any",
    "a b c",
    "a_b",
    "syn",
    "!syn",
    "! syn",
    "syn,!syn",
    "SYN",
    "ece",
    "name",
    "thirteen-let",
    "thirteen-lett",
    "a b",
    "\xc3\xa4",
    "*",
    "management",
    "count",
    "event",
    "  ",
    ",",
    "10.0.0.1-10.0.0.9",
    "10.0.0.9-10.0.0.1",
    "10.0.0.1-fe80::1",
    "10.0.0.0/255.0.255.0",
    "a-b",
    "1-2-3",
    "12345678901234567890123456789012",
    "123456789012345678901234567890123",
};

static const char *const names[] = {
    "name",        "version",      "comment",   "precedence",      "default-out", "default-in",
    "count",       "event",        "protocol",  "action",          "rate",        "anti-spoofing",
    "enabled",     "direction",    "ip",        "ethertype",       "local",       "remote",
    "local-ports", "remote-ports", "tcp-flags", "timeout-minutes", "default",     "file",
    "Name",        "port",         "class",
};

static const char *const elements[] = {"network-filters", "policy", "variable", "include",
                                       "filter",          "need",   "rule",     "Filter"};

static xmlNodePtr pick_element(uint64_t *seed, xmlNodePtr root)
{
    uint32_t n = random_below(seed, (uint32_t)xmlChildElementCount(root) + 1);
    xmlNodePtr node = n == 0 ? root : xmlFirstElementChild(root);

    while (n-- > 1)
        node = xmlNextElementSibling(node);
    return node;
}

static xmlAttrPtr pick_attribute(uint64_t *seed, xmlNodePtr node)
{
    uint32_t n = 0;
    xmlAttrPtr at;

    for (at = node->properties; at; at = at->next)
        n++;
    n = n > 0 ? random_below(seed, n) : 0;
    for (at = node->properties; at && n > 0; at = at->next)
        n--;
    return at;
}

static void change_value(uint64_t *seed, xmlNodePtr node)
{
    xmlAttrPtr at = pick_attribute(seed, node);

    if (at)
        xmlSetProp(node, at->name, STR(values[random_below(seed, COUNT(values))]));
}

/* One character more, fewer or other. */
static void change_character(uint64_t *seed, xmlNodePtr node)
{
    static const char characters[] = "0123456789abfxyesANY .,:/-_@! \t";
    xmlAttrPtr at = pick_attribute(seed, node);
    xmlChar *text = at ? xmlGetProp(node, at->name) : NULL;
    struct buf out = buf_init(TEXT_MAX);
    size_t n = text ? strlen((char *)text) : 0, where = random_below(seed, (uint32_t)n + 1);
    uint32_t how = random_below(seed, 3);

    if (!text)
        return;
    buf_add(&out, text, where);
    if (how > 0)
        buf_printf(&out, "%c", characters[random_below(seed, COUNT(characters) - 1)]);
    where += how < 2 && where < n;
    buf_add(&out, text + where, n - where);
    if (xmlCheckUTF8(STR(buf_str(&out))))
        xmlSetProp(node, at->name, STR(buf_str(&out)));
    buf_free(&out);
    xmlFree(text);
}

static void add_attribute(uint64_t *seed, xmlNodePtr node)
{
    xmlSetProp(node, STR(names[random_below(seed, COUNT(names))]),
               STR(values[random_below(seed, COUNT(values))]));
}

static void take_attribute(uint64_t *seed, xmlNodePtr node)
{
    xmlAttrPtr at = pick_attribute(seed, node);

    if (at)
        xmlRemoveProp(at);
}

static void rename_attribute(uint64_t *seed, xmlNodePtr node)
{
    xmlAttrPtr at = pick_attribute(seed, node);
    const char *name = names[random_below(seed, COUNT(names))];

    if (at && !xmlHasProp(node, STR(name)))
        xmlNodeSetName((xmlNodePtr)at, STR(name));
}

static void foreign_attribute(uint64_t *seed, xmlNodePtr node)
{
    xmlNsPtr ns = xmlSearchNs(node->doc, node, STR("f"));

    if (!ns)
        ns = xmlNewNs(node, STR("urn:foreign"), STR("f"));
    xmlSetNsProp(node, ns, STR(names[random_below(seed, COUNT(names))]), STR("x"));
}

static void rename_element(uint64_t *seed, xmlNodePtr node)
{
    xmlNodeSetName(node, STR(elements[random_below(seed, COUNT(elements))]));
}

static void foreign_element(uint64_t *seed, xmlNodePtr node)
{
    (void)seed;
    xmlSetNs(node, xmlNewNs(node, STR("urn:foreign"), STR("g")));
}

static void take_element(uint64_t *seed, xmlNodePtr node)
{
    (void)seed;
    if (node->parent->type == XML_ELEMENT_NODE) {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

static void copy_element(uint64_t *seed, xmlNodePtr node)
{
    xmlNodePtr root = xmlDocGetRootElement(node->doc), other = pick_element(seed, root);

    xmlAddChild(random_below(seed, 3) ? root : other, xmlCopyNode(node, 1));
}

static void move_element(uint64_t *seed, xmlNodePtr node)
{
    xmlNodePtr first = xmlFirstElementChild(xmlDocGetRootElement(node->doc));

    (void)seed;
    if (node->parent->type == XML_ELEMENT_NODE && first != node)
        xmlAddPrevSibling(first, node);
}

static void add_inside(uint64_t *seed, xmlNodePtr node)
{
    static const char *const texts[] = {" ", "\n  ", "x", "\xc2\xa0", "0"};
    const char *text = texts[random_below(seed, COUNT(texts))];

    switch (random_below(seed, 4)) {
    case 0:
        xmlAddChild(node, xmlNewDocComment(node->doc, STR("remark")));
        break;
    case 1:
        xmlAddChild(node, xmlNewDocPI(node->doc, STR("pi"), STR("x")));
        break;
    case 2:
        /* not of blanks: libxml2's XSD takes those for text, other than RelaxNG and the standard */
        xmlAddChild(node, xmlNewCDataBlock(node->doc, STR("x"), 1));
        break;
    default:
        xmlAddChild(node, xmlNewDocText(node->doc, STR(text)));
    }
}

static void (*const mistakes[])(uint64_t *seed, xmlNodePtr node) = {
    change_value,   change_value,    change_value,   change_character, change_character, change_character,
    add_attribute,  add_attribute,   take_attribute, rename_attribute, rename_attribute, foreign_attribute,
    rename_element, foreign_element, take_element,   copy_element,     move_element,     add_inside,
};

static void three_judges_agree(void **state)
{
    uint64_t seed = random_start(20091016), files = random_sets(FILES);

    (void)state;
    for (uint64_t i = 0; i < files; i++) {
        xmlDocPtr doc = xmlReadMemory(usual, sizeof(usual) - 1, "usual.xml", NULL, XML_PARSE_NONET);
        uint32_t n = 1 + random_below(&seed, MISTAKES);
        xmlChar *text;
        int length;

        while (n-- > 0)
            mistakes[random_below(&seed, COUNT(mistakes))](&seed,
                                                           pick_element(&seed, xmlDocGetRootElement(doc)));
        xmlDocDumpMemory(doc, &text, &length);
        judge((const char *)text, (size_t)length);
        xmlFree(text);
        xmlFreeDoc(doc);
    }
    print_message("of %llu files %llu are good, %llu wrong by the schemas, %llu by the reader alone\n",
                  (unsigned long long)files, (unsigned long long)taken, (unsigned long long)refused,
                  (unsigned long long)only_reader);
    assert_true(taken > files / 10 && refused > files / 10 && only_reader > files / 50);
}

static int start(void **state)
{
    xmlSchemaParserCtxtPtr xsd_ctxt = xmlSchemaNewParserCtxt(FILTER_SCHEMAS "/filter.xsd");
    xmlRelaxNGParserCtxtPtr rng_ctxt = xmlRelaxNGNewParserCtxt(FILTER_SCHEMAS "/filter.rng");

    (void)state;
    xsd = xmlSchemaParse(xsd_ctxt);
    rng = xmlRelaxNGParse(rng_ctxt);
    xmlSchemaFreeParserCtxt(xsd_ctxt);
    xmlRelaxNGFreeParserCtxt(rng_ctxt);
    judge(usual, sizeof(usual) - 1);
    return xsd && rng && taken == 1 ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    xmlSchemaFree(xsd);
    xmlRelaxNGFree(rng);
    xmlRelaxNGCleanupTypes();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(three_judges_agree, start, stop),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
