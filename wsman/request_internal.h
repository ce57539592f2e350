/* What a request is made of, for request.c (building), request_read.c and request_write.c (text) only. */
#ifndef WSMAN_REQUEST_INTERNAL_H
#define WSMAN_REQUEST_INTERNAL_H

#include "wsman/request.h"

/* A node of the body or a selector's value: text, an endpoint reference, or children of its own. */
enum part_kind { PART_TEXT, PART_SECRET, PART_DATETIME, PART_INTERVAL, PART_EPR, PART_TREE };

struct part {
    enum part_kind kind;
    char *name;         /* property or selector name */
    char *value;        /* TEXT, SECRET, DATETIME, INTERVAL; the class of an EPR */
    struct part *parts; /* selectors of an EPR, children of a TREE; owned array */
    size_t count;
    char *ns; /* TREE: of its children when not that of the parent, else NULL */
};

struct wsman_request {
    enum wsman_verb verb;
    const char *class_name;
    const char *method;
    const char *name; /* for messages */
    struct part *selectors;
    size_t selector_count;
    struct part *parts; /* properties or parameters */
    size_t count;
    struct wsman_delivery delivery; /* strings owned */
    char texts[];                   /* of class_name, method and name */
};

#endif
