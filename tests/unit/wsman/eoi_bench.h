/* For tests of the SOAP interface of AMT 1 to 5: one sequence on a device that answers what the test says. */
#ifndef TESTS_EOI_BENCH_H
#define TESTS_EOI_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wsman/eoi/eoi.h"

#define NS_CLIENT "http://schemas.intel.com/platform/client/"
#define NS_RCI    NS_CLIENT "RemoteControl/2004/01"
#define NS_SAI    NS_CLIENT "SecurityAdministration/2004/01"
#define NS_HWA    NS_CLIENT "HardwareAsset/2004/01"
#define NS_EMI    NS_CLIENT "EventManager/2004/01"
#define NS_CB     "http://schemas.intel.com/2004/12/management/PC/CircuitBreaker"

struct bench {
    struct eoi *eoi;
    struct wsman_call *call;
    struct err err;
};

/* Setup and teardown of cmocka; *state is the bench. */
int bench_start(void **state);
int bench_stop(void **state);
#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_start, bench_stop)

enum eoi_progress bench_begin(struct bench *bench, struct wsman_request *rq); /* rq is taken over */
enum eoi_progress bench_get(struct bench *bench, const char *class_name);
enum eoi_progress bench_list(struct bench *bench, const char *class_name);
/* What is to be sent contains that text, and is sent to that path; NULL: any. */
void bench_asks(struct bench *bench, const char *path, const char *text);
enum eoi_progress bench_answer_document(struct bench *bench, int http_status, const char *document);
/* OPERATIONResponse of that namespace with these members; good: behind a Status of 0. */
enum eoi_progress bench_answer(struct bench *bench, const char *ns, const char *operation,
                               const char *members);
enum eoi_progress bench_good(struct bench *bench, const char *ns, const char *operation, const char *members);

#endif
