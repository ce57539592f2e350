/* Typed reading of an instance's properties. Values are what firmware sent: strict about form, silent about
 * absence (false, NULL, 0), because versions differ in what they have. (reference wsman.md, section 2.2, 7)
 */
#ifndef WSMAN_VALUE_H
#define WSMAN_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/xml.h"

/* An instance with the document that keeps it. Borrowed: lives as long as the call's result. */
struct wsman_obj {
    struct xml_doc *doc;
    struct xml_el el;
};

const char *wsman_obj_class(struct wsman_obj obj); /* "AMT_GeneralSettings", "" for none */
bool wsman_obj_is(struct wsman_obj obj, const char *class_name);

/* Text as sent, or NULL when absent. Never trimmed, never turned into a number. */
const char *wsman_str(struct wsman_obj obj, const char *name);
/* False when absent or not a number in range; *out is then untouched. */
bool wsman_u32(struct wsman_obj obj, const char *name, uint32_t *out);
bool wsman_u64(struct wsman_obj obj, const char *name, uint64_t *out);
bool wsman_bool(struct wsman_obj obj, const char *name, bool *out);
/* Appends the decoded bytes. */
bool wsman_base64(struct wsman_obj obj, const char *name, struct buf *out);
/* A datetime or interval: the text inside the wrapper of the common namespace, or NULL. */
const char *wsman_datetime(struct wsman_obj obj, const char *name);
/* An array of numbers: how many were stored (at most max; the rest is left out). */
size_t wsman_u32_array(struct wsman_obj obj, const char *name, uint32_t *out, size_t max);
/* The i-th element of an array of strings, or NULL behind the end. */
const char *wsman_str_at(struct wsman_obj obj, const char *name, size_t i);
/* An embedded endpoint reference: its class (last part of the ResourceURI) and a selector's value, or NULL.
 */
const char *wsman_epr_class(struct wsman_obj obj, const char *name);
const char *wsman_epr_selector(struct wsman_obj obj, const char *name, const char *selector);

#endif
