#include "tests/unit/wsman/eoi_bench.h"

#include <stdio.h>
#include <string.h>

#define DOCUMENT_MAX 4096

int bench_start(void **state)
{
    static struct bench bench;

    bench = (struct bench){.eoi = eoi_new()};
    *state = &bench;
    return 0;
}

int bench_stop(void **state)
{
    struct bench *b = *state;

    wsman_call_free(b->call);
    eoi_free(b->eoi);
    return 0;
}

enum eoi_progress bench_begin(struct bench *b, struct wsman_request *rq)
{
    wsman_call_free(b->call);
    b->call = wsman_call_new(rq);
    err_clear(&b->err);
    return eoi_begin(b->eoi, b->call, &b->err);
}

enum eoi_progress bench_get(struct bench *b, const char *class_name)
{
    return bench_begin(b, wsman_request_new(WSMAN_GET, class_name, NULL));
}

enum eoi_progress bench_list(struct bench *b, const char *class_name)
{
    return bench_begin(b, wsman_request_new(WSMAN_ENUMERATE, class_name, NULL));
}

void bench_asks(struct bench *b, const char *path, const char *text)
{
    if (path)
        assert_string_equal(eoi_path(b->eoi), path);
    if (!strstr(buf_str(eoi_body(b->eoi)), text))
        fail_msg("'%s' is not in: %s", text, buf_str(eoi_body(b->eoi)));
}

enum eoi_progress bench_answer_document(struct bench *b, int http_status, const char *document)
{
    err_clear(&b->err);
    return eoi_answer(b->eoi, http_status, document, strlen(document), &b->err);
}

enum eoi_progress bench_answer(struct bench *b, const char *ns, const char *operation, const char *members)
{
    char text[DOCUMENT_MAX];
    int n =
        snprintf(text, sizeof(text),
                 "<?xml version=\"1.0\"?><x:Envelope xmlns:x=\"http://schemas.xmlsoap.org/soap/envelope/\">"
                 "<x:Body><%sResponse xmlns=\"%s\">%s</%sResponse></x:Body></x:Envelope>",
                 operation, ns, members, operation);

    assert_in_range(n, 1, DOCUMENT_MAX - 1);
    return bench_answer_document(b, 200, text);
}

enum eoi_progress bench_good(struct bench *b, const char *ns, const char *operation, const char *members)
{
    char text[DOCUMENT_MAX];

    snprintf(text, sizeof(text), "<Status>0</Status>%s", members);
    return bench_answer(b, ns, operation, text);
}
