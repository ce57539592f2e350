/* The CAs of amtd as a file, for profiles that trust them. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/certificates.h"
#include "amtd/store/internal.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"

#define FILE_NAME "own-ca.pem"
#define PEM_MAX   65536

static char *path_beside(const char *database)
{
    const char *slash = strrchr(database, '/');

    return xasprintf("%.*s" FILE_NAME, slash ? (int)(slash + 1 - database) : 0, database);
}

/* Those that devices may have certificates of. */
static int trusted(struct tx *tx, struct buf *pem, struct err *err)
{
    struct authority_row *rows;
    size_t count;
    int status = tx_authorities(tx, &rows, &count, err);

    for (size_t i = 0; i < count; i++) {
        if (rows[i].state != AUTHORITY_RETIRED)
            authority_pem(rows[i].der.p, rows[i].der.len, pem);
        authority_row_clear(&rows[i]);
    }
    free(rows);
    return status;
}

char *tx_authority_file(struct tx *tx)
{
    char *path = path_beside(sqlite3_db_filename(tx->db, "main"));
    struct buf pem = buf_init(PEM_MAX), is = buf_init(PEM_MAX);
    struct err err = ERR_INIT;
    bool good = trusted(tx, &pem, &err) == 0;

    if (good && !(file_read(path, &is, NULL) == 0 && is.len == pem.len && memcmp(is.p, pem.p, is.len) == 0))
        good = file_replace(path, pem.p, pem.len, &err) == 0;
    if (!good)
        log_err(NULL, "profiles that trust amtd's own CA: %s", err.text);
    buf_free(&pem);
    buf_free(&is);
    return path;
}
