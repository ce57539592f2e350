/* Needs that come from elsewhere than a filter file: what the later steps of a job depend on. */
#ifndef FILTERS_NEEDS_H
#define FILTERS_NEEDS_H

#include <stddef.h>
#include <stdint.h>

#include "filters/file.h"

#define NEED_ROWS_MAX 64

/* The machine's own system reaches that port of the other end, and hears back. */
struct need_row {
    const char *name;     /* cut to what a file takes, and numbered where it comes twice */
    const char *protocol; /* "tcp", "udp" */
    const char *remote;   /* "@dns", an address, a host name; NULL: any */
    uint16_t port;        /* of the other end; 0: any */
    uint16_t local_port;  /* of the machine; 0: any */
    unsigned ip;          /* 4 or 6; else both */
};

/* A file that holds them and nothing else, for check_options.needs. NULL: more than NEED_ROWS_MAX, or what no
 * file takes, as findings say. */
struct filter_file *needs_file(const struct need_row *rows, size_t count, struct findings *findings);

#endif
