/* What was read of devices' event and audit logs. Inside store work only; all return 0 or -1 with err. */
#ifndef AMTD_STORE_DEVICE_LOG_H
#define AMTD_STORE_DEVICE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/store/store.h"

/* One record. Strings and raw are owned; a record that is to be kept may borrow them. */
struct device_log_row {
    int64_t id; /* in the order in which they were kept: of one host, that of the device */
    int64_t host_id;
    char *host;     /* its name; set by reading only */
    int kind;       /* enum device_log_kind (wsman/device_log.h) */
    int64_t at_ms;  /* by the device's clock; 0: it did not know */
    char *severity; /* event log */
    char *source;   /* the entity it is about, or the application that wrote it */
    char *text;     /* the sentence */
    char *who;      /* audit log: who did it; else NULL */
    char *address;  /* audit log: from where; else NULL */
    uint8_t *raw;   /* as the device has it */
    size_t raw_size;
};
void device_log_row_clear(struct device_log_row *row);
struct device_log_rows { /* owned array */
    struct device_log_row *items;
    size_t count;
};
void device_log_rows_clear(struct device_log_rows *rows);

/* A host that is not there any more is nothing. */
int tx_device_log_add(struct tx *tx, const struct device_log_row *row, struct err *err);
/* How far a log was read: the place of the last record of an audit log. *read_ms 0: never. */
int tx_device_log_set_place(struct tx *tx, int64_t host_id, int kind, uint32_t place, int64_t read_ms,
                            struct err *err);
int tx_device_log_place(struct tx *tx, int64_t host_id, int kind, uint32_t *place, int64_t *read_ms,
                        struct err *err);
/* The newest records of one host, newest first, at most limit. */
int tx_device_log_newest(struct tx *tx, int64_t host_id, int kind, size_t limit, struct device_log_rows *rows,
                         struct err *err);

struct device_log_query {
    int kind;
    const char *target;   /* NULL: all hosts */
    int64_t since_ms;     /* wall clock; 0: from the beginning */
    const char *words;    /* what the sentence, its source or who did it contain (small letters are as
                             capitals); NULL: anything */
    const char *severity; /* NULL: any */
    size_t limit;         /* the newest so many */
};
/* The ids of the records, oldest first. *ids is the caller's. */
int tx_device_log_find(struct tx *tx, const struct device_log_query *query, int64_t **ids, size_t *count,
                       struct err *err);
/* Tells of one; what is told is borrowed. One that is not there any more is nothing. */
typedef void tell_record(void *arg, const struct device_log_row *row);
int tx_device_log_tell(struct tx *tx, int64_t id, tell_record *tell, void *arg, struct err *err);

#endif
