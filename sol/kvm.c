#include "sol/kvm.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "sol/redir_internal.h"

enum { OPENING, OPEN };

struct kvm {
    struct redir *redir;
    struct kvm_events events;
    bool drained; /* told since the last write */
};

/* The channel's start: the code means something else than in an IDER session. */
static void begin(void *owner)
{
    struct kvm *kvm = owner;

    wr_le64(redir_out(kvm->redir), 0x40);
}

static int on_opened(void *owner, struct view message, struct err *err)
{
    struct kvm *kvm = owner;

    if (redir_status(message) != 0) {
        err_set(err, CAUSE_CONSENT_REQUIRED,
                "the device refused the session after the login, most likely for want of the user's consent");
        return err_code(err, "redirection open %u", redir_status(message));
    }
    redir_set_state(kvm->redir, OPEN);
    redir_up(kvm->redir);
    return 0;
}

static int on_rfb(void *owner, struct view bytes, struct err *err)
{
    struct kvm *kvm = owner;

    (void)err;
    if (kvm->events.data)
        kvm->events.data(kvm->events.session.arg, bytes.p, bytes.n);
    return 0;
}

static void sent(void *owner)
{
    struct kvm *kvm = owner;

    if (kvm->drained || redir_waiting(kvm->redir) > 0)
        return;
    kvm->drained = true;
    if (kvm->events.drained)
        kvm->events.drained(kvm->events.session.arg);
}

static void stop(void *owner)
{
    redir_end_soon(((struct kvm *)owner)->redir);
}

static size_t memory(const void *owner)
{
    return sizeof(*(const struct kvm *)owner);
}

static const struct redir_message messages[] = {
    {0x41, "the channel's start", 8, 0, 0, 0, 8, false, {[OPENING] = on_opened}},
};

static const struct redir_stage stage = {
    messages,
    1,
    NULL,
    {
        [OPENING] = {"opening the screen", REDIR_STEP_MS, false, false, NULL, CAUSE_CONSENT_REQUIRED,
                     "the device closed the connection after the login, most likely for want of the user's "
                     "consent"},
        [OPEN] = {"the screen is open", 0, false, false, on_rfb, CAUSE_DROPPED,
                  "the device ended the session"},
    },
};

static const struct redir_kind kind = {
    .name = "KVM",
    .option = 1,
    .type = {'K', 'V', 'M', 'R'},
    .stage = &stage,
    .no_end = true,
    .out_max = KVM_QUEUE + 1024,
    .begin = begin,
    .sent = sent,
    .stop = stop,
    .destroy = free,
    .memory = memory,
};

struct kvm *kvm_new(const struct redir_login *login, const struct kvm_events *events, int64_t now_ms,
                    struct err *err)
{
    struct kvm *kvm = xcalloc(1, sizeof(*kvm));

    kvm->events = *events;
    kvm->drained = true;
    kvm->redir = redir_new(&kind, kvm, login, &kvm->events.session, now_ms, err);
    if (!kvm->redir) {
        free(kvm);
        return NULL;
    }
    return kvm;
}

struct redir *kvm_session(struct kvm *kvm)
{
    return kvm->redir;
}

size_t kvm_write(struct kvm *kvm, const void *p, size_t n)
{
    size_t room;

    if (!redir_is_in(kvm->redir, OPEN))
        return 0;
    room = KVM_QUEUE - kvm_backlog(kvm);
    n = n < room ? n : room;
    buf_add(redir_out(kvm->redir), p, n);
    if (n > 0)
        kvm->drained = false;
    return n;
}

size_t kvm_backlog(const struct kvm *kvm)
{
    return redir_waiting(kvm->redir);
}
