#include "tests/amtsim/kerberos.h"

#include <gssapi/gssapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/users.h"

#define LINE_MAX_LEN  512
#define TOKEN_MAX     16384
#define AUTHORITY_LEN 6

struct principal {
    struct principal *next;
    char *name;
    uint8_t sid[USERS_SID_MAX];
    size_t sid_len;
};

struct kerberos {
    struct principal *principals;
};

/* --- who has which SID --- */

/* "S-1-5-21-...": revision, count of parts, authority big-endian, parts little-endian. */
static bool read_sid(const char *text, struct principal *p)
{
    uint64_t part;
    char *copy = xstrdup(text), *rest = NULL;
    const char *word = strtok_r(copy, "-", &rest);
    bool ok = word != NULL && strcmp(word, "S") == 0;
    ok = ok && (word = strtok_r(NULL, "-", &rest)) != NULL && text_u64(word, 1, 1, &part);
    ok = ok && (word = strtok_r(NULL, "-", &rest)) != NULL && text_u64(word, 0, UINT32_MAX, &part);
    p->sid[0] = 1;
    for (int i = 0; ok && i < AUTHORITY_LEN; i++)
        p->sid[2 + i] = (uint8_t)(part >> (8 * (AUTHORITY_LEN - 1 - i)));
    p->sid_len = 2 + AUTHORITY_LEN;
    while (ok && (word = strtok_r(NULL, "-", &rest)) != NULL) {
        ok = text_u64(word, 0, UINT32_MAX, &part) && p->sid_len + 4 <= sizeof(p->sid);
        for (int i = 0; ok && i < 4; i++)
            p->sid[p->sid_len++] = (uint8_t)(part >> (8 * i));
        p->sid[1]++;
    }
    free(copy);
    return ok && p->sid[1] > 0;
}

static void free_principal(struct principal *p)
{
    free(p->name);
    free(p);
}

/* False when the line is neither of the form nor empty. */
static bool read_line(struct kerberos *k, char *line)
{
    char *rest = NULL;
    const char *name = strtok_r(line, " \t\r\n", &rest), *sid = strtok_r(NULL, " \t\r\n", &rest);
    if (name == NULL || name[0] == '#')
        return true;
    struct principal *p = xcalloc(1, sizeof(*p));
    p->name = xstrdup(name);
    if (sid == NULL || strtok_r(NULL, " \t\r\n", &rest) != NULL || !read_sid(sid, p)) {
        free_principal(p);
        return false;
    }
    p->next = k->principals;
    k->principals = p;
    return true;
}

struct kerberos *kerberos_new(const char *path, struct err *err)
{
    char line[LINE_MAX_LEN];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "--kerberos-sids %s: %m", path);
        return NULL;
    }
    struct kerberos *k = xcalloc(1, sizeof(*k));
    bool ok = true;
    for (unsigned number = 1; ok && fgets(line, sizeof(line), file) != NULL; number++) {
        ok = read_line(k, line);
        if (!ok)
            err_set(err, CAUSE_INVALID_ARGUMENT,
                    "%s:%u: expected a principal and its SID, such as 'alice@EXAMPLE S-1-5-21-1-2-3-1104'",
                    path, number);
    }
    fclose(file);
    if (ok)
        return k;
    kerberos_free(k);
    return NULL;
}

void kerberos_free(struct kerberos *k)
{
    if (k == NULL)
        return;
    while (k->principals != NULL) {
        struct principal *p = k->principals;
        k->principals = p->next;
        free_principal(p);
    }
    free(k);
}

static const struct principal *find(const struct kerberos *k, const void *name, size_t n)
{
    const struct principal *p = k->principals;
    while (p != NULL && (strlen(p->name) != n || memcmp(p->name, name, n) != 0))
        p = p->next;
    return p;
}

/* --- tickets --- */

static const char scheme[] = "Negotiate ";

bool kerberos_is(struct view authorization)
{
    return authorization.n > sizeof(scheme) - 1 &&
           strncasecmp((const char *)authorization.p, scheme, sizeof(scheme) - 1) == 0;
}

/* The account that the accepted ticket's principal stands for. */
static bool admit(const struct device *d, gss_name_t client, uint32_t *realms)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    if (GSS_ERROR(gss_display_name(&minor, client, &text, NULL)))
        return false;
    const struct principal *p = find(d->fleet->kerberos, text.value, text.length);
    if (p == NULL)
        log_info(NULL, "device %u: a ticket of %.*s, who has no SID", d->index + 1, (int)text.length,
                 (const char *)text.value);
    gss_release_buffer(&minor, &text);
    return p != NULL && users_by_sid(d, p->sid, p->sid_len, realms);
}

static bool accept_token(const struct device *d, struct buf *token, uint32_t *realms, struct buf *proof)
{
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc input = {token->len, token->p}, output = GSS_C_EMPTY_BUFFER;
    gss_name_t client = GSS_C_NO_NAME;
    OM_uint32 minor;
    OM_uint32 major =
        gss_accept_sec_context(&minor, &context, GSS_C_NO_CREDENTIAL, &input, GSS_C_NO_CHANNEL_BINDINGS,
                               &client, NULL, &output, NULL, NULL, NULL);
    bool ok = major == GSS_S_COMPLETE && admit(d, client, realms);
    if (ok)
        text_base64(proof, output.value, output.length);
    gss_release_buffer(&minor, &output);
    gss_release_name(&minor, &client);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    return ok;
}

bool kerberos_check(const struct device *d, struct view authorization, uint32_t *realms, struct buf *proof)
{
    struct buf token = buf_init(TOKEN_MAX);
    bool ok = d->fleet->kerberos != NULL && kerberos_is(authorization) &&
              text_base64_decode(&token, (const char *)authorization.p + sizeof(scheme) - 1,
                                 authorization.n - (sizeof(scheme) - 1)) &&
              accept_token(d, &token, realms, proof);
    buf_free(&token);
    return ok;
}
