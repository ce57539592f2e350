/* What a file would do, before it does it.
 *
 * Beside what reading and compiling find: each need, and the ways that amtd itself depends on, with pass or
 * drop and the rules that decide; rules that do nothing; what each generation has no room for. AMT's own
 * traffic (ports 16992 to 16995, 623, 664) is exempt in hardware and is not looked at. */
#ifndef FILTERS_CHECK_H
#define FILTERS_CHECK_H

#include "filters/compile.h"
#include "filters/file.h"
#include "filters/generation.h"

/* The ways that amtd depends on: renewal of leases, name service, address resolution, the management server
 * at "management-ports". */
enum way_origin {
    WAY_NEED, /* of the file, or of another that was given */
    WAY_OWN,
};

struct way {
    enum way_origin origin;
    char *name;
    char *what; /* "UDP between port 68 of this host and port 67 of any address" */
    bool passes;
    bool limited; /* passes, but a limit takes part */
    char *why;    /* "by rule 'dhcp' (quarantine.xml:11)", "out: by default" */
};

struct check_report {
    struct way *ways; /* owned */
    size_t way_count;
    size_t cut;                  /* ways that do not pass, or cannot be judged and are vital */
    struct compiled_use out, in; /* room taken, when it can be compiled */
    size_t filters;              /* in all */
    bool compiled;
};

struct check_options {
    const unsigned *versions; /* major versions of the hosts; NULL: all generations */
    size_t version_count;
    const struct filter_file *needs; /* a file whose needs count as well; NULL: none */
    bool widen;
};

/* names as for filter_bind. Findings are added; those of binding and reading are the caller's. Free the
 * report with check_report_clear. */
void filter_check(const struct ruleset *rules, struct names *names, const struct check_options *options,
                  struct check_report *report, struct findings *findings);
void check_report_clear(struct check_report *report);

#endif
