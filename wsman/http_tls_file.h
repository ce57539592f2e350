/* Certificates and keys from files, read once for all sessions. */
#ifndef WSMAN_HTTP_TLS_FILE_H
#define WSMAN_HTTP_TLS_FILE_H

#include <openssl/x509.h>

#include "base/err.h"

struct http_tls_file; /* one in a list, as the transport keeps it */

/* A certificate with its key and the rest of its chain. Counted by OpenSSL. */
struct http_identity {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* without cert; may be empty */
};

/* The trust anchors in a PEM file, or the system's when path is NULL. The caller's own reference. A file that
 * changed since it was read is read again. NULL and err (invalid-argument: the file, and what is wrong with
 * it). */
X509_STORE *http_tls_file_store(struct http_tls_file **files, const char *path, struct err *err);
/* The same for a client's certificate chain and key (PEM, key without passphrase; key_path NULL: in the same
 * file). */
int http_tls_file_identity(struct http_tls_file **files, const char *cert_path, const char *key_path,
                           struct http_identity *identity, struct err *err);
void http_identity_clear(struct http_identity *identity);
void http_tls_files_free(struct http_tls_file **files);

#endif
