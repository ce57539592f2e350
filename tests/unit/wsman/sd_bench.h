/* A sequence run against a simulated device without sockets: two independent makers of messages meet. */
#ifndef TESTS_SD_BENCH_H
#define TESTS_SD_BENCH_H

#include "base/buf.h"
#include "tests/unit/amtsim/sim.h"
#include "wsman/seq.h"

struct sd_bench {
    struct sim *sim;
    struct device *device;
    size_t changes;  /* requests that change something, so far */
    size_t lose_at;  /* the answer to this one (from 1) is lost: 0 none */
    bool lose_first; /* it is lost before it is carried out */
    size_t die_at;   /* from this request on (from 1, reading ones too) nothing answers: 0 never */
    size_t requests;
    void (*after)(void *arg); /* called after each answer, or NULL */
    void (*hold)(void *arg);  /* called when the sequence holds on, or NULL */
    void *arg;
    char last[8192]; /* body of the last request that changes something */
};

/* 0, or -1 with err. */
int sd_bench_run(struct sd_bench *bench, struct seq *seq, struct err *err);

#endif
