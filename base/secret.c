#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"

#define SECURE_HEAP     (1024 * 1024)
#define SECURE_MIN      32
#define SECRET_FILE_MAX 4096

struct secret {
    atomic_uint owners;
    size_t n;
    char bytes[]; /* n and a NUL */
};

void secret_process_init(void)
{
    struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0)
        log_warn(NULL, "core files cannot be switched off: %s", strerror(errno));
    if (prctl(PR_SET_DUMPABLE, 0) != 0)
        log_warn(NULL, "the process stays dumpable: %s", strerror(errno));
    if (!CRYPTO_secure_malloc_initialized() && CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) != 1)
        log_warn(NULL, "no locked memory for secrets: they may be swapped out");
}

/* Falls back to the common heap when the secure one is full: secrets are wiped there, too, but may be
 * swapped. */
struct secret *secret_new(const void *p, size_t n)
{
    size_t size = sizeof(struct secret) + n + 1;
    struct secret *s = CRYPTO_secure_malloc_initialized() ? OPENSSL_secure_malloc(size) : NULL;

    if (!s)
        s = xmalloc(size);
    atomic_init(&s->owners, 1);
    s->n = n;
    if (n > 0)
        memcpy(s->bytes, p, n);
    s->bytes[n] = '\0';
    return s;
}

struct secret *secret_share(const struct secret *s)
{
    struct secret *same = (struct secret *)s;

    if (same)
        same->owners++;
    return same;
}

void secret_free(struct secret *s)
{
    if (!s || --s->owners > 0)
        return;
    if (CRYPTO_secure_allocated(s)) {
        OPENSSL_secure_clear_free(s, sizeof(*s) + s->n + 1);
        return;
    }
    explicit_bzero(s, sizeof(*s) + s->n + 1);
    free(s);
}

const char *secret_str(const struct secret *s)
{
    return s ? s->bytes : "";
}

size_t secret_len(const struct secret *s)
{
    return s ? s->n : 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    return a == b || (secret_len(a) == secret_len(b) &&
                      CRYPTO_memcmp(secret_str(a), secret_str(b), secret_len(a)) == 0);
}

struct secret *secret_from_file(const char *path, struct err *err)
{
    char bytes[SECRET_FILE_MAX + 1];
    struct secret *s = NULL;
    size_t used = 0;
    ssize_t n = 1;
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", path);
        return NULL;
    }
    while (n > 0 && used < sizeof(bytes)) {
        n = read(fd, bytes + used, sizeof(bytes) - used);
        if (n > 0)
            used += (size_t)n;
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    if (n < 0)
        err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", path);
    else if (used > SECRET_FILE_MAX)
        err_set(err, CAUSE_INVALID_ARGUMENT, "%s: a secret has at most %d bytes", path, SECRET_FILE_MAX);
    else if (memchr(bytes, '\0', used))
        err_set(err, CAUSE_INVALID_ARGUMENT, "%s: a secret holds no NUL byte", path);
    else
        s = secret_new(bytes, used > 0 && bytes[used - 1] == '\n' ? used - 1 : used);
    explicit_bzero(bytes, sizeof(bytes));
    if (fd != STDIN_FILENO)
        close(fd);
    return s;
}

void secret_wipe(void *p, size_t n)
{
    explicit_bzero(p, n);
}
