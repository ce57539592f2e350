/* mail.login and mail.send. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/daemon.h"
#include "amtd/reactions/mail_text.h"
#include "amtd/reactions/mailer.h"
#include "base/text.h"
#include "base/xalloc.h"

#define TO_MAX   100
#define TEXT_MAX (1024 * 1024)

/* --- login --- */

struct new_login {
    struct api_request *rq;
    char *user;
    struct secret *password;
};

static int put_login(struct tx *tx, void *data, struct err *err)
{
    const struct new_login *l = data;

    return tx_login_put(tx, "mail", l->user, l->password, err);
}

static void login_put(void *data, const struct err *failure)
{
    struct new_login *l = data;

    if (failure) {
        api_fail(l->rq, failure);
    } else {
        mailer_set_login(daemon_mailer(api_daemon(l->rq)), l->user, l->password);
        api_reply(l->rq, json_object());
    }
    free(l->user);
    secret_free(l->password);
    free(l);
}

void call_mail_login(struct api_request *rq)
{
    const char *user = param_text(api_params(rq), "user"), *password = param_text(api_params(rq), "password");
    struct err err = ERR_INIT;
    struct new_login *l;

    if (!user != !password || (user && !user[0])) {
        err_set(&err, CAUSE_INVALID_ARGUMENT,
                "expected 'user' and 'password', or neither, which removes the login");
        api_fail(rq, &err);
        return;
    }
    l = xcalloc(1, sizeof(*l));
    l->rq = rq;
    l->user = xstrdup(user);
    l->password = password ? secret_new(password, strlen(password)) : NULL;
    store_submit(daemon_store(api_daemon(rq)), put_login, login_put, l);
}

/* --- send --- */

static void sent(void *arg, const struct err *failure)
{
    if (failure)
        api_fail(arg, failure);
    else
        api_reply(arg, json_object());
}

static int read_to(const json_t *params, const char **to, size_t *count, struct err *err)
{
    const json_t *list = json_object_get(params, "to"), *item;
    size_t i;

    *count = json_array_size(list);
    if (*count < 1 || *count > TO_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'to' must be from 1 to %d addresses", TO_MAX);
    json_array_foreach((json_t *)list, i, item)
    {
        to[i] = json_string_value(item);
        if (!to[i] || !mail_address_ok(to[i]))
            return err_set(err, CAUSE_INVALID_ARGUMENT, "'to': '%s' is no mail address", to[i] ? to[i] : "?");
    }
    return 0;
}

/* Names of files that need no quoting anywhere. */
static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    return n >= 1 && n <= 200 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@:") == n;
}

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
                                           {".txt", "text/plain; charset=utf-8"},
                                           {".cast", "application/x-asciicast"}};
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (n > strlen(types[i][0]) && strcmp(name + n - strlen(types[i][0]), types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static int read_data(const json_t *params, struct mail *mail, struct buf *data, struct err *err)
{
    const char *text = param_text(params, "data");

    mail->name = param_text(params, "name");
    if (!text != !mail->name)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'name' and 'data' belong together");
    if (!text)
        return 0;
    if (!name_ok(mail->name))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'name': '%s' is no name for an attachment", mail->name);
    if (!text_base64_decode(data, text, strlen(text)) || !buf_ok(data))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'data' must be base64 of at most %d bytes",
                       MAIL_DATA_MAX);
    mail->type = type_of(mail->name);
    mail->data = data->p ? data->p : (const uint8_t *)"";
    mail->data_len = data->len;
    return 0;
}

void call_mail_send(struct api_request *rq)
{
    const json_t *params = api_params(rq);
    const char *to[TO_MAX], *text = param_text(params, "text");
    struct mail mail = {.to = (char *const *)to,
                        .subject = param_text(params, "subject"),
                        .text = text ? text : "",
                        .once = true};
    struct buf data = buf_init(MAIL_DATA_MAX);
    struct err err = ERR_INIT;

    if (strlen(mail.text) > TEXT_MAX)
        err_set(&err, CAUSE_INVALID_ARGUMENT, "'text' must have at most %d bytes", TEXT_MAX);
    else if (read_to(params, to, &mail.to_count, &err) == 0 && read_data(params, &mail, &data, &err) == 0)
        mailer_send(daemon_mailer(api_daemon(rq)), &mail, sent, rq, &err);
    if (err.cause != CAUSE_NONE)
        api_fail(rq, &err);
    buf_free(&data);
}
