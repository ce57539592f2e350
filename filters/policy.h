/* The <policy> of a filter file: its attributes by table, read and written. */
#ifndef FILTERS_POLICY_H
#define FILTERS_POLICY_H

#include "base/buf.h"
#include "base/xml.h"
#include "filters/findings.h"
#include "filters/rules.h"

/* What holds where a file says nothing: everything dropped and counted. */
struct rules_policy policy_default(void);
/* Reads the element's attributes over *out; mistakes go to findings. */
void policy_read(struct xml_doc *doc, struct xml_el el, struct place place, struct rules_policy *out,
                 struct findings *findings);
/* Appends the element. */
void policy_write(const struct rules_policy *policy, struct buf *out);
/* "no", "yes", "count", "event" */
const char *anti_spoof_name(uint32_t anti_spoof);

#endif
