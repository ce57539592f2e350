#include "amtd/console/node_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

struct node_key {
    EVP_PKEY *key;
    bool is_private;
    char id[NODE_ID_LEN + 1];
};

const char *node_key_id(const struct node_key *key)
{
    return key->id;
}

void node_key_free(struct node_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key);
    free(key);
}

/* Takes the key. */
static struct node_key *wrap(EVP_PKEY *pkey, bool is_private, const char *path, struct err *err)
{
    uint8_t raw[32], digest[SHA256_DIGEST_LENGTH];
    size_t n = sizeof(raw);
    struct buf hex = buf_init(NODE_ID_LEN);
    struct node_key *key;

    if (EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519 || EVP_PKEY_get_raw_public_key(pkey, raw, &n) != 1) {
        EVP_PKEY_free(pkey);
        err_set(err, CAUSE_SEAL_BROKEN, "%s: not an Ed25519 key", path);
        return NULL;
    }
    EVP_Digest(raw, n, digest, NULL, EVP_sha256(), NULL);
    text_hex(&hex, digest, NODE_ID_LEN / 2, false);
    key = xcalloc(1, sizeof(*key));
    key->key = pkey;
    key->is_private = is_private;
    memcpy(key->id, buf_str(&hex), NODE_ID_LEN);
    buf_free(&hex);
    return key;
}

/* Others must not be able to sign in this node's name. */
static FILE *open_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
        return NULL;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) ||
        (st.st_mode & 077) != 0) {
        close(fd);
        err_set(err, CAUSE_SEAL_BROKEN, "%s must be a file of this user with mode 0600", path);
        return NULL;
    }
    return fdopen(fd, "r");
}

static struct node_key *read_key(const char *path, bool is_private, struct err *err)
{
    FILE *file = is_private ? open_private(path, err) : fopen(path, "re");
    EVP_PKEY *pkey;

    if (!file) {
        if (!is_private)
            err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
        return NULL;
    }
    pkey = is_private ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : PEM_read_PUBKEY(file, NULL, NULL, NULL);
    fclose(file);
    if (!pkey) {
        err_set(err, CAUSE_SEAL_BROKEN, "%s: no PEM key in it", path);
        return NULL;
    }
    return wrap(pkey, is_private, path, err);
}

/* Under its final name only when it is whole and on the disk. */
static int write_key(const char *path, EVP_PKEY *pkey, bool is_private, struct err *err)
{
    char *fresh = xasprintf("%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, is_private ? 0600 : 0644);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    int ok = file && (is_private ? PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL)
                                 : PEM_write_PUBKEY(file, pkey));

    ok = ok && fflush(file) == 0 && fsync(fd) == 0;
    if (file)
        ok = fclose(file) == 0 && ok;
    ok = ok && rename(fresh, path) == 0;
    if (!ok) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
        unlink(fresh);
    }
    free(fresh);
    return ok ? 0 : -1;
}

static int make_pair(const char *private_path, const char *public_path, struct err *err)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    int status;

    if (!pkey)
        return err_set(err, CAUSE_SYSTEM, "an Ed25519 key cannot be made");
    status = write_key(public_path, pkey, false, err);
    if (status == 0)
        status = write_key(private_path, pkey, true, err);
    EVP_PKEY_free(pkey);
    return status;
}

struct node_key *node_key_open(const char *dir, bool create, struct err *err)
{
    char *private_path = xasprintf("%s/node.key", dir);
    char *public_path = xasprintf("%s/node.pub", dir);
    struct node_key *key = NULL;

    if (!create || access(private_path, F_OK) == 0 || make_pair(private_path, public_path, err) == 0)
        key = read_key(private_path, true, err);
    free(private_path);
    free(public_path);
    return key;
}

struct node_key *node_key_open_public(const char *path, struct err *err)
{
    return read_key(path, false, err);
}

void node_key_public(const struct node_key *key, uint8_t public[NODE_PUBLIC_LEN])
{
    size_t n = NODE_PUBLIC_LEN;

    EVP_PKEY_get_raw_public_key(key->key, public, &n);
}

struct node_key *node_key_from_public(const uint8_t public[NODE_PUBLIC_LEN], struct err *err)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, NODE_PUBLIC_LEN);

    if (pkey)
        return wrap(pkey, false, "a node's key", err);
    err_set(err, CAUSE_BAD_ANSWER, "not an Ed25519 key");
    return NULL;
}

int node_key_sign(const struct node_key *key, const void *p, size_t n, uint8_t signature[NODE_SIGNATURE_LEN],
                  struct err *err)
{
    EVP_MD_CTX *ctx;
    size_t len = NODE_SIGNATURE_LEN;
    int ok;

    if (!key->is_private)
        return err_set(err, CAUSE_SEAL_BROKEN, "a public key cannot sign");
    ctx = EVP_MD_CTX_new();
    ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->key) == 1 &&
         EVP_DigestSign(ctx, signature, &len, p, n) == 1 && len == NODE_SIGNATURE_LEN;
    EVP_MD_CTX_free(ctx);
    return ok ? 0 : err_set(err, CAUSE_SYSTEM, "signing failed");
}

bool node_key_verify(const struct node_key *key, const void *p, size_t n, const void *signature,
                     size_t signature_n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->key) == 1 &&
              EVP_DigestVerify(ctx, signature, signature_n, p, n) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}
