/* One bench for all tests of a program that are about logs. */
#ifndef TEST_LOG_FIXTURE_H
#define TEST_LOG_FIXTURE_H

#include "tests/unit/console/log_bench.h"

/* That of the test that runs, with cmocka's setup and teardown. */
extern struct log_bench b;
int bench_begin(void **state);
int bench_end(void **state);
/* The whole log reads so. */
void bench_expect(struct clog *log, const char *text);

#endif
