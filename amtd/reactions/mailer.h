/* Sends mail through the server of the configuration. Loop's thread only. */
#ifndef AMTD_REACTIONS_MAILER_H
#define AMTD_REACTIONS_MAILER_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/reactions/courier.h"
#include "amtd/store/store.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"

enum mail_tls { MAIL_STARTTLS, MAIL_TLS, MAIL_CLEAR };

/* docs/amtd.yaml.5, "mail". */
struct mail_settings {
    char *server; /* NULL: there is no mail */
    int64_t port; /* 0: 587, 465 or 25, by tls */
    int tls;      /* enum mail_tls */
    char *ca_file;
    char *from;
};
void mail_settings_clear(struct mail_settings *settings);
void mail_settings_copy(struct mail_settings *to, const struct mail_settings *from);

#define MAIL_DATA_MAX (10 * 1024 * 1024)

struct mail {
    char *const *to; /* all of mail_address_ok (mail_text.h) */
    size_t to_count;
    const char *subject;
    const char *text;
    const char *name, *type; /* of the attachment; data NULL: none */
    const void *data;
    size_t data_len; /* at most MAIL_DATA_MAX */
    bool once;       /* the sender waits for it: not tried again */
};

struct mailer;

/* Pointers are borrowed; settings are copied. Reads the login that was kept (store.h, "mail"). */
struct mailer *mailer_new(struct courier *courier, struct store *store, const struct clock *clock,
                          const struct mail_settings *settings);
void mailer_free(struct mailer *mailer); /* NULL is fine */
void mailer_configure(struct mailer *mailer, const struct mail_settings *settings);
/* The login from the next mail on, which the caller has kept; both NULL: none. Copied. */
void mailer_set_login(struct mailer *mailer, const char *user, const struct secret *password);
/* As courier_send. -1 and err: invalid-argument (no server is configured, or a login in clear text), busy. */
int mailer_send(struct mailer *mailer, const struct mail *mail,
                void (*done)(void *arg, const struct err *failure), void *arg, struct err *err);

#endif
