/* The frame of a KVM session: start, login, channel; then both ways are bare RFB bytes (RFC 6143), which this
 * core only passes on. (reference redirection.md, section 4)
 *
 * The session has no heartbeats and no end of its own: RFB has none, and both sides end it by closing. Host
 * output is handed on as it comes and not kept; at most KVM_QUEUE bytes wait for the device. */
#ifndef SOL_KVM_H
#define SOL_KVM_H

#include "sol/redir.h"

#define KVM_QUEUE 65536

struct kvm;

struct kvm_events {
    struct redir_events session;
    /* RFB bytes from the device, n > 0; cut anywhere. The first are its version. */
    void (*data)(void *arg, const uint8_t *p, size_t n);
    /* All that kvm_write took has been handed to the connection. */
    void (*drained)(void *arg);
};

/* NULL and err (invalid-argument) when login is outside its ranges. Freed by redir_free(kvm_session(kvm)). */
struct kvm *kvm_new(const struct redir_login *login, const struct kvm_events *events, int64_t now_ms,
                    struct err *err);
struct redir *kvm_session(struct kvm *kvm);

/* RFB bytes for the device. Returns how many were taken, as sol_write. */
size_t kvm_write(struct kvm *kvm, const void *p, size_t n);
size_t kvm_backlog(const struct kvm *kvm);

#endif
