#include "amtd/reactions/mailer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "amtd/reactions/mail_text.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

struct mailer {
    struct courier *courier;
    struct store *store;
    const struct clock *clock;
    struct mail_settings settings;
    char *user;
    struct secret *password;
    bool reading;   /* the login that was kept is on its way from the store */
    bool login_set; /* it is old */
    bool freed;
};

void mail_settings_clear(struct mail_settings *s)
{
    free(s->server);
    free(s->ca_file);
    free(s->from);
    memset(s, 0, sizeof(*s));
}

void mail_settings_copy(struct mail_settings *to, const struct mail_settings *from)
{
    *to = *from;
    to->server = xstrdup(from->server);
    to->ca_file = xstrdup(from->ca_file);
    to->from = xstrdup(from->from);
}

/* --- the login --- */

struct reading {
    struct mailer *mailer;
    char *user;
    struct secret *password;
};

static int read_login(struct tx *tx, void *data, struct err *err)
{
    struct reading *r = data;

    return tx_login_get(tx, "mail", &r->user, &r->password, err);
}

static void maybe_free(struct mailer *m)
{
    if (!m->freed || m->reading)
        return;
    free(m->user);
    secret_free(m->password);
    free(m);
}

static void take_login(struct mailer *m, char *user, struct secret *password)
{
    free(m->user);
    secret_free(m->password);
    m->user = user;
    m->password = password;
}

static void login_read(void *data, const struct err *failure)
{
    struct reading *r = data;
    struct mailer *m = r->mailer;

    m->reading = false;
    if (failure)
        log_err("mail", "the login cannot be used: %s", failure->text);
    if (m->login_set) {
        free(r->user);
        secret_free(r->password);
    } else {
        take_login(m, r->user, r->password);
    }
    free(r);
    maybe_free(m);
}

static void read_kept_login(struct mailer *m)
{
    struct reading *r = xcalloc(1, sizeof(*r));

    r->mailer = m;
    m->reading = true;
    store_submit(m->store, read_login, login_read, r);
}

void mailer_set_login(struct mailer *m, const char *user, const struct secret *password)
{
    m->login_set = true;
    take_login(m, xstrdup(user), secret_share(password));
}

/* --- sending --- */

static void random_id(char out[33])
{
    uint8_t bytes[16] = {0};
    struct buf hex = buf_init(64);

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        log_warn("mail", "no random number for a mail's name");
    text_hex(&hex, bytes, sizeof(bytes), false);
    memcpy(out, buf_str(&hex), 33);
    buf_free(&hex);
}

static char *server_url(const struct mail_settings *s)
{
    static const int64_t ports[] = {[MAIL_STARTTLS] = 587, [MAIL_TLS] = 465, [MAIL_CLEAR] = 25};
    char host[256] = "localhost";
    bool six = strchr(s->server, ':') != NULL;

    gethostname(host, sizeof(host) - 1);
    return xasprintf("%s://%s%s%s:%lld/%s", s->tls == MAIL_TLS ? "smtps" : "smtp", six ? "[" : "", s->server,
                     six ? "]" : "", (long long)(s->port > 0 ? s->port : ports[s->tls]), host);
}

static void write_letter(const struct mailer *m, const struct mail *mail, struct letter *letter)
{
    struct buf body = buf_init((size_t)2 * MAIL_DATA_MAX);
    char id[33];
    const struct mail_text text = {.from = m->settings.from,
                                   .to = mail->to,
                                   .to_count = mail->to_count,
                                   .subject = mail->subject,
                                   .id = id,
                                   .at_ms = clock_wall(m->clock),
                                   .text = mail->text,
                                   .name = mail->name,
                                   .type = mail->type,
                                   .data = mail->data,
                                   .data_len = mail->data_len};

    random_id(id);
    mail_text(&text, &body);
    letter->what = xasprintf("mail to %s%s", mail->to[0], mail->to_count > 1 ? " and others" : "");
    letter->url = server_url(&m->settings);
    letter->once = mail->once;
    letter->starttls = m->settings.tls == MAIL_STARTTLS;
    letter->from = xstrdup(m->settings.from);
    letter->to = xcalloc(mail->to_count, sizeof(*letter->to));
    for (size_t i = 0; i < mail->to_count; i++)
        letter->to[letter->to_count++] = xstrdup(mail->to[i]);
    letter->user = xstrdup(m->user);
    letter->password = secret_share(m->password);
    letter->ca_file = xstrdup(m->settings.ca_file);
    letter->body_len = body.len;
    letter->body = buf_take(&body);
}

int mailer_send(struct mailer *m, const struct mail *mail, void (*done)(void *arg, const struct err *failure),
                void *arg, struct err *err)
{
    struct letter letter = {0};

    if (!m->settings.server)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "no mail server is configured: 'mail' in amtd.yaml");
    if (m->user && m->settings.tls == MAIL_CLEAR)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the login at the mail server is not sent in clear text");
    write_letter(m, mail, &letter);
    if (courier_send(m->courier, &letter, done, arg))
        return 0;
    return err_set(err, CAUSE_BUSY, "%d letters are on their way already", COURIER_WAITING_MAX);
}

/* --- beginning and end --- */

void mailer_configure(struct mailer *m, const struct mail_settings *settings)
{
    mail_settings_clear(&m->settings);
    mail_settings_copy(&m->settings, settings);
}

struct mailer *mailer_new(struct courier *courier, struct store *store, const struct clock *clock,
                          const struct mail_settings *settings)
{
    struct mailer *m = xcalloc(1, sizeof(*m));

    m->courier = courier;
    m->store = store;
    m->clock = clock;
    mail_settings_copy(&m->settings, settings);
    read_kept_login(m);
    return m;
}

void mailer_free(struct mailer *m)
{
    if (!m)
        return;
    mail_settings_clear(&m->settings);
    m->freed = true;
    maybe_free(m);
}
