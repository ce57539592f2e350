#include "amtd/reactions/courier.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/xalloc.h"

#define TRANSFERS_MAX 8
#define CONNECT_MS    15000L
#define TRANSFER_MS   60000L
#define ANSWER_MAX    65536 /* bytes of an answer that are read, and not looked at */

/* How long to wait after the first failure, the second... */
static const int64_t waits_ms[COURIER_TRIES - 1] = {5000, 30000, 120000, 600000, 1800000};

struct parcel {
    struct letter letter;
    void (*done)(void *arg, const struct err *failure);
    void *arg;
    struct err failure;
    unsigned tries;
    int64_t due_ms;
    /* while it is being brought */
    CURL *easy;
    struct curl_slist *list;
    size_t sent, answered;
    char text[CURL_ERROR_SIZE];
    struct parcel *prev, *next;
};

struct courier {
    uv_async_t wake;
    pthread_t thread;
    pthread_mutex_t lock;
    CURLM *multi;
    size_t count; /* on their way; loop's thread */
    /* under the lock */
    struct parcel *fresh, *finished;
    bool closing;
    /* of the thread */
    struct parcel *waiting, *moving;
    size_t transfers;
};

void letter_clear(struct letter *letter)
{
    for (size_t i = 0; i < letter->to_count; i++)
        free(letter->to[i]);
    free(letter->to);
    free(letter->what);
    free(letter->url);
    free(letter->from);
    free(letter->user);
    free(letter->ca_file);
    free(letter->body);
    secret_free(letter->password);
    memset(letter, 0, sizeof(*letter));
}

static void parcel_free(struct parcel *p)
{
    letter_clear(&p->letter);
    free(p);
}

/* --- one transfer --- */

static size_t read_body(char *to, size_t size, size_t count, void *arg)
{
    struct parcel *p = arg;
    size_t n = p->letter.body_len - p->sent < size * count ? p->letter.body_len - p->sent : size * count;

    if (n > 0)
        memcpy(to, p->letter.body + p->sent, n);
    p->sent += n;
    return n;
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *arg)
{
    struct parcel *p = arg;

    (void)bytes;
    p->answered += size * count;
    return p->answered <= ANSWER_MAX ? size * count : 0;
}

static void set_mail(struct parcel *p)
{
    const struct letter *l = &p->letter;

    for (size_t i = 0; i < l->to_count; i++)
        p->list = curl_slist_append(p->list, l->to[i]);
    curl_easy_setopt(p->easy, CURLOPT_MAIL_FROM, l->from);
    curl_easy_setopt(p->easy, CURLOPT_MAIL_RCPT, p->list);
    curl_easy_setopt(p->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(p->easy, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(p->easy, CURLOPT_READDATA, p);
    if (l->starttls)
        curl_easy_setopt(p->easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    if (l->user) {
        curl_easy_setopt(p->easy, CURLOPT_USERNAME, l->user);
        curl_easy_setopt(p->easy, CURLOPT_PASSWORD, secret_str(l->password));
    }
}

static void set_post(struct parcel *p)
{
    p->list = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->list);
    curl_easy_setopt(p->easy, CURLOPT_USERAGENT, "amtd/" AMTD_VERSION);
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, p->letter.body);
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->letter.body_len);
}

static bool begin(struct courier *c, struct parcel *p)
{
    p->sent = p->answered = 0;
    p->text[0] = '\0';
    p->easy = curl_easy_init();
    if (!p->easy)
        return false;
    curl_easy_setopt(p->easy, CURLOPT_URL, p->letter.url);
    curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps,http,https");
    curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
    curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->text);
    curl_easy_setopt(p->easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, TRANSFER_MS);
    curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, drop_answer);
    curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
    if (p->letter.ca_file)
        curl_easy_setopt(p->easy, CURLOPT_CAINFO, p->letter.ca_file);
    if (p->letter.to_count > 0)
        set_mail(p);
    else
        set_post(p);
    return curl_multi_add_handle(c->multi, p->easy) == CURLM_OK;
}

static void end_transfer(struct courier *c, struct parcel *p)
{
    if (p->easy) {
        curl_multi_remove_handle(c->multi, p->easy);
        curl_easy_cleanup(p->easy);
    }
    curl_slist_free_all(p->list);
    p->easy = NULL;
    p->list = NULL;
}

/* A server whose certificate is not trusted, or a file of CAs that cannot be used: that is for people to
 * mend, and they are to hear of it now. Mail goes on trying all the same: it is kept for an hour, and may
 * still arrive. */
static bool needs_people(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR;
}

/* Sets the failure, if it is one; true: there is no use in trying again. */
static bool judge(struct parcel *p, CURLcode code)
{
    long response = 0;

    err_clear(&p->failure);
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &response);
    if (code == CURLE_OK && (p->letter.to_count > 0 || (response >= 200 && response < 300)))
        return true;
    if (code == CURLE_OK) {
        err_set(&p->failure, CAUSE_NOT_DELIVERED, "%s: the server answers %ld", p->letter.what, response);
        return response >= 400 && response < 500 && response != 408 && response != 429;
    }
    err_set(&p->failure, CAUSE_NOT_DELIVERED, "%s: %s", p->letter.what,
            p->text[0] ? p->text : curl_easy_strerror(code));
    if (response > 0)
        err_code(&p->failure, "%s %ld", p->letter.to_count > 0 ? "SMTP" : "HTTP", response);
    return p->letter.to_count > 0 ? response >= 500 : needs_people(code);
}

/* --- the thread --- */

static void finish(struct courier *c, struct parcel *p)
{
    pthread_mutex_lock(&c->lock);
    DL_APPEND(c->finished, p);
    pthread_mutex_unlock(&c->lock);
    uv_async_send(&c->wake);
}

static void end_try(struct courier *c, struct parcel *p, bool over)
{
    DL_DELETE(c->moving, p);
    c->transfers--;
    end_transfer(c, p);
    p->tries++;
    if (over || p->letter.once || p->tries == COURIER_TRIES) {
        finish(c, p);
        return;
    }
    log_warn("reactions", "%s; tried again in %lld s", p->failure.text,
             (long long)waits_ms[p->tries - 1] / 1000);
    p->due_ms = clock_mono(clock_system()) + waits_ms[p->tries - 1];
    DL_APPEND(c->waiting, p);
}

/* Returns how long nothing is due. */
static int64_t begin_due(struct courier *c)
{
    int64_t now = clock_mono(clock_system()), next = 60000;
    struct parcel *p, *following;

    DL_FOREACH_SAFE(c->waiting, p, following)
    {
        if (p->due_ms > now) {
            next = p->due_ms - now < next ? p->due_ms - now : next;
            continue;
        }
        if (c->transfers == TRANSFERS_MAX)
            break;
        DL_DELETE(c->waiting, p);
        DL_APPEND(c->moving, p);
        c->transfers++;
        if (!begin(c, p)) {
            err_set(&p->failure, CAUSE_SYSTEM, "%s: libcurl does not take it", p->letter.what);
            end_try(c, p, true);
        }
    }
    return next;
}

/* Have any? Then there is room for others. */
static bool look_at_ended(struct courier *c)
{
    const CURLMsg *message;
    bool any = false;
    int left;

    while ((message = curl_multi_info_read(c->multi, &left))) {
        struct parcel *p = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&p);
        end_try(c, p, judge(p, message->data.result));
        any = true;
    }
    return any;
}

static bool take_fresh(struct courier *c)
{
    bool closing;

    pthread_mutex_lock(&c->lock);
    DL_CONCAT(c->waiting, c->fresh);
    c->fresh = NULL;
    closing = c->closing;
    pthread_mutex_unlock(&c->lock);
    return !closing;
}

static void *courier_thread(void *arg)
{
    struct courier *c = arg;
    int running;

    while (take_fresh(c)) {
        int64_t wait = begin_due(c);

        curl_multi_perform(c->multi, &running);
        curl_multi_poll(c->multi, NULL, 0, look_at_ended(c) ? 0 : (int)wait, NULL);
    }
    return NULL;
}

/* --- the loop's side --- */

static void on_wake(uv_async_t *async)
{
    struct courier *c = async->data;
    struct parcel *list, *p, *next;

    pthread_mutex_lock(&c->lock);
    list = c->finished;
    c->finished = NULL;
    pthread_mutex_unlock(&c->lock);
    DL_FOREACH_SAFE(list, p, next)
    {
        c->count--;
        p->done(p->arg, p->failure.cause != CAUSE_NONE ? &p->failure : NULL);
        parcel_free(p);
    }
}

bool courier_send(struct courier *c, struct letter *letter,
                  void (*done)(void *arg, const struct err *failure), void *arg)
{
    struct parcel *p;

    if (c->count == COURIER_WAITING_MAX) {
        letter_clear(letter);
        return false;
    }
    p = xcalloc(1, sizeof(*p));
    p->letter = *letter;
    memset(letter, 0, sizeof(*letter));
    p->done = done;
    p->arg = arg;
    c->count++;
    pthread_mutex_lock(&c->lock);
    DL_APPEND(c->fresh, p);
    pthread_mutex_unlock(&c->lock);
    curl_multi_wakeup(c->multi);
    return true;
}

struct courier *courier_new(uv_loop_t *loop, struct err *err)
{
    struct courier *c = xcalloc(1, sizeof(*c));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(c->multi = curl_multi_init())) {
        err_set(err, CAUSE_SYSTEM, "libcurl cannot be used");
        free(c);
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    uv_async_init(loop, &c->wake, on_wake);
    c->wake.data = c;
    uv_unref((uv_handle_t *)&c->wake);
    if (pthread_create(&c->thread, NULL, courier_thread, c) == 0)
        return c;
    err_set(err, CAUSE_SYSTEM, "no thread for mail and web hooks");
    c->closing = true;
    courier_free(c);
    return NULL;
}

static void give_up(struct parcel *list)
{
    static const struct err ended = {CAUSE_INTERRUPTED, "", "amtd ended before it was delivered"};
    struct parcel *p, *next;

    DL_FOREACH_SAFE(list, p, next)
    {
        p->done(p->arg, p->failure.cause != CAUSE_NONE ? &p->failure : &ended);
        parcel_free(p);
    }
}

static void wake_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void courier_free(struct courier *c)
{
    struct parcel *p;
    bool running;

    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    running = !c->closing;
    c->closing = true;
    pthread_mutex_unlock(&c->lock);
    if (running) {
        curl_multi_wakeup(c->multi);
        pthread_join(c->thread, NULL);
    }
    DL_FOREACH(c->moving, p)
    end_transfer(c, p);
    on_wake(&c->wake);
    give_up(c->moving);
    give_up(c->waiting);
    give_up(c->fresh);
    curl_multi_cleanup(c->multi);
    curl_global_cleanup();
    pthread_mutex_destroy(&c->lock);
    uv_close((uv_handle_t *)&c->wake, wake_closed);
}
