/* What would take libxml2 too long: it compares each attribute of a tag with all others, so that a megabyte
 * of attributes keeps it busy for a minute. */
#ifndef BASE_XML_GUARD_H
#define BASE_XML_GUARD_H

#include <stddef.h>

#include "base/err.h"

/* 0 when the document, well-formed or not, is parsed in a time that grows with its length alone; -1 and err
 * when a tag has more than XML_ATTRIBUTES_MAX attributes (too-large; xml.h), or when that cannot be told
 * (bad-answer).
 */
int xml_guard(const void *p, size_t n, const char *what, struct err *err);

#endif
