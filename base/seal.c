#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/xalloc.h"

#define SEAL_VERSION 1
#define NONCE_LEN    12
#define TAG_LEN      16
#define SEALED_MAX   65536

struct seal {
    struct secret *key;
};

/* --- the key file --- */

static int sync_directory(const char *path)
{
    char *copy = xstrdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    free(copy);
    return status;
}

static int create_key(const char *path, struct err *err)
{
    unsigned char key[SEAL_KEY_LEN];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int status = 0;

    if (fd < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "key file %s", path);
    if (RAND_priv_bytes(key, sizeof(key)) != 1)
        status = err_set(err, CAUSE_SYSTEM, "no random numbers for the key file %s", path);
    else if (write(fd, key, sizeof(key)) != (ssize_t)sizeof(key) || fsync(fd) != 0 ||
             sync_directory(path) != 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "key file %s", path);
    secret_wipe(key, sizeof(key));
    close(fd);
    if (status != 0)
        unlink(path); /* half a key would be worse than none */
    return status;
}

static int check_key_file(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "key file %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "key file %s: not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "key file %s: belongs to uid %u, expected %u or root",
                       path, st.st_uid, geteuid());
    if (st.st_mode & 077)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "key file %s: mode %04o, expected 0600 or stricter", path,
                       st.st_mode & 07777);
    if (st.st_size != SEAL_KEY_LEN)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "key file %s: %lld bytes, expected %d", path,
                       (long long)st.st_size, SEAL_KEY_LEN);
    return 0;
}

struct seal *seal_open(const char *path, int create, struct err *err)
{
    unsigned char key[SEAL_KEY_LEN];
    struct seal *seal = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT && create) {
        if (create_key(path, err) != 0)
            return NULL;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "key file %s", path);
        return NULL;
    }
    if (check_key_file(fd, path, err) == 0) {
        if (read(fd, key, sizeof(key)) == (ssize_t)sizeof(key)) {
            seal = xcalloc(1, sizeof(*seal));
            seal->key = secret_new(key, sizeof(key));
        } else {
            err_set(err, CAUSE_SYSTEM, "key file %s cannot be read", path);
        }
    }
    secret_wipe(key, sizeof(key));
    close(fd);
    return seal;
}

void seal_free(struct seal *seal)
{
    if (!seal)
        return;
    secret_free(seal->key);
    free(seal);
}

/* --- sealing: version, nonce, ciphertext, tag --- */

static EVP_CIPHER_CTX *start(const struct seal *seal, const char *owner, const unsigned char *nonce,
                             int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;

    if (ctx &&
        EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, (const unsigned char *)secret_str(seal->key), nonce,
                          encrypt) == 1 &&
        EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)owner, (int)strlen(owner)) == 1)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

int seal_secret(const struct seal *seal, const char *owner, const struct secret *s, struct buf *out,
                struct err *err)
{
    unsigned char nonce[NONCE_LEN], tag[TAG_LEN];
    struct buf sealed = buf_init(SEALED_MAX);
    EVP_CIPHER_CTX *ctx = NULL;
    uint8_t *room = buf_room(&sealed, secret_len(s) + 1);
    int n = 0, rest = 0, status = -1;

    if (room && RAND_bytes(nonce, sizeof(nonce)) == 1)
        ctx = start(seal, owner, nonce, 1);
    if (ctx &&
        EVP_CipherUpdate(ctx, room, &n, (const unsigned char *)secret_str(s), (int)secret_len(s)) == 1 &&
        EVP_CipherFinal_ex(ctx, room + n, &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, sizeof(tag), tag) == 1) {
        buf_added(&sealed, (size_t)n + (size_t)rest);
        wr_u8(out, SEAL_VERSION);
        wr_bytes(out, nonce, sizeof(nonce));
        wr_bytes(out, sealed.p, sealed.len);
        wr_bytes(out, tag, sizeof(tag));
        status = buf_ok(out) ? 0 : -1;
    }
    if (status != 0)
        err_set(err, CAUSE_SYSTEM, "the secret of %s cannot be sealed", owner);
    EVP_CIPHER_CTX_free(ctx);
    buf_free(&sealed);
    return status;
}

struct secret *seal_unseal(const struct seal *seal, const char *owner, const void *p, size_t n,
                           struct err *err)
{
    struct rd r = rd_init(p, n);
    uint8_t version = rd_u8(&r);
    struct view nonce = rd_bytes(&r, NONCE_LEN);
    struct view cipher = rd_bytes(&r, r.n >= TAG_LEN ? r.n - TAG_LEN : 0);
    struct view tag = rd_bytes(&r, TAG_LEN);
    struct buf plain = buf_init_secret(SEALED_MAX);
    uint8_t *room = buf_room(&plain, cipher.n + 1);
    struct secret *s = NULL;
    EVP_CIPHER_CTX *ctx = NULL;
    int got = 0, rest = 0;

    if (rd_end(&r) && version == SEAL_VERSION && room)
        ctx = start(seal, owner, nonce.p, 0);
    if (ctx && EVP_CipherUpdate(ctx, room, &got, cipher.p, (int)cipher.n) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, (void *)tag.p) == 1 &&
        EVP_CipherFinal_ex(ctx, room + got, &rest) == 1)
        s = secret_new(room, (size_t)got + (size_t)rest);
    else
        err_set(err, CAUSE_SEAL_BROKEN, "the secret of %s cannot be opened", owner);
    EVP_CIPHER_CTX_free(ctx);
    buf_free(&plain);
    return s;
}
