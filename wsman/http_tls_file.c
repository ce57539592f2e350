#include "wsman/http_tls_file.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utlist.h>

#include "base/xalloc.h"

/* Tells whether a file is still the one that was read. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct http_tls_file {
    struct http_tls_file *prev, *next;
    char *path, *key_path; /* NULL: the system's store; no key wanted */
    struct stamp stamp, key_stamp;
    X509_STORE *store;
    struct http_identity identity;
};

static int take_stamp(const char *path, struct stamp *stamp, struct err *err)
{
    struct stat st;

    *stamp = (struct stamp){0};
    if (!path)
        return 0;
    if (stat(path, &st) < 0) {
        err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", path);
        return -1;
    }
    *stamp = (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
    return 0;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void file_free(struct http_tls_file *file)
{
    X509_STORE_free(file->store);
    http_identity_clear(&file->identity);
    free(file->path);
    free(file->key_path);
    free(file);
}

void http_tls_files_free(struct http_tls_file **files)
{
    struct http_tls_file *file, *next;

    DL_FOREACH_SAFE(*files, file, next)
    {
        DL_DELETE(*files, file);
        file_free(file);
    }
}

void http_identity_clear(struct http_identity *identity)
{
    X509_free(identity->cert);
    EVP_PKEY_free(identity->key);
    sk_X509_pop_free(identity->chain, X509_free);
    *identity = (struct http_identity){0};
}

/* The one in memory that is still what is on disk; those that are not go. */
static struct http_tls_file *find(struct http_tls_file **files, const struct http_tls_file *like)
{
    struct http_tls_file *file, *next;

    DL_FOREACH_SAFE(*files, file, next)
    {
        if (!same_text(file->path, like->path) || !same_text(file->key_path, like->key_path))
            continue;
        if (same_stamp(&file->stamp, &like->stamp) && same_stamp(&file->key_stamp, &like->key_stamp))
            return file;
        DL_DELETE(*files, file);
        file_free(file);
    }
    return NULL;
}

static struct http_tls_file *add(struct http_tls_file **files, const struct http_tls_file *like)
{
    struct http_tls_file *file = xmalloc(sizeof(*file));

    *file = *like;
    file->path = xstrdup(like->path);
    file->key_path = xstrdup(like->key_path);
    DL_APPEND(*files, file);
    return file;
}

static int openssl_failed(const char *path, const char *what, struct err *err)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: %s%s%s", path ? path : "the system's trust store", what,
                   reason ? ": " : "", reason ? reason : "");
}

X509_STORE *http_tls_file_store(struct http_tls_file **files, const char *path, struct err *err)
{
    struct http_tls_file like = {.path = (char *)path};

    if (take_stamp(path, &like.stamp, err) < 0)
        return NULL;
    struct http_tls_file *file = find(files, &like);
    if (!file) {
        like.store = X509_STORE_new();
        int ok = path ? X509_STORE_load_file(like.store, path) : X509_STORE_set_default_paths(like.store);
        if (ok != 1) {
            X509_STORE_free(like.store);
            openssl_failed(path, "no certificates of authorities can be read from it", err);
            return NULL;
        }
        file = add(files, &like);
    }
    X509_STORE_up_ref(file->store);
    return file->store;
}

/* A key with a passphrase is refused instead of asking for it on the terminal of a daemon. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static int read_certificates(const char *path, struct http_identity *identity, struct err *err)
{
    BIO *in = BIO_new_file(path, "r");

    if (!in)
        return openssl_failed(path, "cannot be read", err);
    identity->cert = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
    identity->chain = sk_X509_new_null();
    for (X509 *next; identity->cert && (next = PEM_read_bio_X509(in, NULL, no_passphrase, NULL));)
        sk_X509_push(identity->chain, next);
    BIO_free(in);
    if (!identity->cert)
        return openssl_failed(path, "holds no certificate", err);
    ERR_clear_error(); /* the end of the file was one */
    return 0;
}

static int read_key(const char *path, struct http_identity *identity, struct err *err)
{
    BIO *in = BIO_new_file(path, "r");

    if (!in)
        return openssl_failed(path, "cannot be read", err);
    identity->key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
    BIO_free(in);
    if (!identity->key)
        return openssl_failed(path, "holds no private key (or one with a passphrase, which is not supported)",
                              err);
    if (X509_check_private_key(identity->cert, identity->key) != 1)
        return openssl_failed(path, "the key does not belong to the certificate", err);
    return 0;
}

int http_tls_file_identity(struct http_tls_file **files, const char *cert_path, const char *key_path,
                           struct http_identity *identity, struct err *err)
{
    struct http_tls_file like = {.path = (char *)cert_path,
                                 .key_path = (char *)(key_path ? key_path : cert_path)};

    if (take_stamp(like.path, &like.stamp, err) < 0 || take_stamp(like.key_path, &like.key_stamp, err) < 0)
        return -1;
    struct http_tls_file *file = find(files, &like);
    if (!file) {
        if (read_certificates(like.path, &like.identity, err) < 0 ||
            read_key(like.key_path, &like.identity, err) < 0) {
            http_identity_clear(&like.identity);
            return -1;
        }
        file = add(files, &like);
    }
    X509_up_ref(file->identity.cert);
    EVP_PKEY_up_ref(file->identity.key);
    identity->cert = file->identity.cert;
    identity->key = file->identity.key;
    identity->chain = X509_chain_up_ref(file->identity.chain);
    return 0;
}
