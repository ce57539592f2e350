/* How the counterparts of WS-Management's calls are told: tables of rows and steps, for the files of this
 * folder. A row is a call; its steps are the operations that mean the same, in their order. */
#ifndef WSMAN_EOI_INTERNAL_H
#define WSMAN_EOI_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "wsman/eoi/eoi.h"
#include "wsman/eoi/wire.h"
#include "wsman/request.h"

#define EOI_HANDLES_MAX 512

/* What a step does next. */
enum {
    EOI_FAIL = -1, /* err was filled */
    EOI_ASK = 0,   /* fill: send it */
    EOI_NEXT = 0,  /* take: on with the next step */
    EOI_PASS = 1,  /* fill: this step is not needed */
    EOI_AGAIN = 2, /* take: this step once more */
};

struct eoi_step {
    enum eoi_op op; /* EOI_LOCAL: nothing is asked, fill does it all and returns EOI_PASS */
    bool may_fail;  /* take gets out == NULL and goes on */
    int (*fill)(struct eoi *eoi, void *in, struct err *err); /* NULL: the request has no members */
    /* status was 0; NULL: nothing of interest is in the answer. */
    int (*take)(struct eoi *eoi, const void *out, struct err *err);
};

struct eoi_row {
    enum wsman_verb verb;
    const char *class_name;
    const char *method; /* WSMAN_INVOKE */
    const struct eoi_step *steps;
    size_t count;
};
#define EOI_STEPS(table) (table), sizeof(table) / sizeof((table)[0])

/* The tables, each with a row of class_name NULL at its end. */
extern const struct eoi_row eoi_account_rows[];
extern const struct eoi_row eoi_control_rows[];
extern const struct eoi_row eoi_settings_rows[];
extern const struct eoi_row eoi_hardware_rows[];
extern const struct eoi_row eoi_event_rows[];
extern const struct eoi_row eoi_alert_rows[];
extern const struct eoi_row eoi_breaker_rows[];
extern const struct eoi_row eoi_breaker_port_rows[];

/* Boot options that wait for a command. */
struct eoi_boot {
    bool armed;      /* they are the next boot's */
    unsigned source; /* SpecialCommand 1 to 5; 0 none */
    uint32_t media, verbosity, ider_device;
    bool setup, pause, ider, sol, safe_mode, lock_keyboard, lock_power, lock_reset, lock_sleep, bypass,
        progress;
};

struct eoi_arena {
    struct eoi_arena *next;
    size_t size; /* of what follows; wiped, since it may be a password's hash */
};

struct eoi {
    struct wsman_call *call; /* NULL: the end of a sequence */
    const struct eoi_row *row;
    size_t at;
    struct buf body;                   /* to be posted */
    struct buf items;                  /* the instances that were found, as XML */
    uint32_t result;                   /* ReturnValue of a method */
    uint32_t handles[EOI_HANDLES_MAX]; /* that an enumeration named and that are asked for one by one */
    size_t handle_count, handle_at;
    uint32_t noted[EOI_HANDLES_MAX]; /* what an earlier step found out about each of them */
    struct eoi_boot boot;
    struct eoi_arena *arena; /* what the request under way refers to */
};

const struct wsman_request *eoi_request(const struct eoi *eoi);

/* Parts of a request; they live until it is written. */
void *eoi_alloc(struct eoi *eoi, size_t size); /* zeroed */
unsigned *eoi_number(struct eoi *eoi, uint32_t value);
void *eoi_flag(struct eoi *eoi, bool value); /* for gSOAP's enum xsd__boolean */
char *eoi_text(struct eoi *eoi, const char *text);

/* Instances: begun, filled, ended. */
void eoi_show(struct eoi *eoi, const char *class_name);
void eoi_shown(struct eoi *eoi, const char *class_name);
void eoi_show_text(struct eoi *eoi, const char *name, const char *value); /* NULL: left out */
void eoi_show_number(struct eoi *eoi, const char *name, uint32_t value);
void eoi_show_maybe(struct eoi *eoi, const char *name, const unsigned *value); /* NULL: left out */
void eoi_show_flag(struct eoi *eoi, const char *name, bool value);
/* 167772161 as "10.0.0.1"; NULL: left out. */
void eoi_show_ipv4(struct eoi *eoi, const char *name, const unsigned *number);
/* A reference with these selectors, ended by {NULL}. */
void eoi_show_reference(struct eoi *eoi, const char *name, const char *class_name,
                        const struct wsman_selector *selectors);

/* What an enumeration named, for the steps behind it. */
void eoi_take_handles(struct eoi *eoi, const unsigned *handles, int count);
/* For take, of answers that hold a Status and a list of handles, in this order: the same. */
int eoi_take_listed(struct eoi *eoi, const void *out, struct err *err);
/* For fill, of requests that begin with a handle: the next one of those that were named; none: EOI_PASS. */
int eoi_fill_handle(struct eoi *eoi, void *in, struct err *err);
/* The same with the one that is the selector InstanceID, or Name, of the call. */
int eoi_fill_selected(struct eoi *eoi, void *in, struct err *err);
/* EnumerateInterfaces, as a step that may fail: before 2.5 there is one interface, and no way to ask for it.
 */
int eoi_take_interfaces(struct eoi *eoi, const void *out, struct err *err);

/* An answer lacks what it must have: bad-answer. */
int eoi_missing(struct eoi *eoi, const char *name, struct err *err);

/* What eoi_end asks: the boot options that wait, as a command of their own. (control.c) */
extern const struct eoi_row eoi_boot_row;

#endif
