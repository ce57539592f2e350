/* IDE redirection (from AMT 11 on shown to the host as USB storage; the bytes are the same): offers images to
 * the host as a CD and a floppy drive and answers its SCSI commands. (reference redirection.md, section 3)
 *
 * Both drives are write-protected: a host that writes gets 07/27/00 (write protected), and no data is taken
 * from it.
 *
 * The core knows sizes of images, never their content: blocks come from the owner, who is asked by the event
 * `read` and answers with ider_complete, at once or later, from wherever it likes (a file, a cache, the
 * network). There is at most one read open at a time: commands are answered one after the other. Memory: at
 * most 3 x IDER_READ_MAX bytes of data wait for the connection, and none while idle. */
#ifndef SOL_IDER_H
#define SOL_IDER_H

#include "sol/redir.h"

#define IDER_READ_MAX     65536 /* bytes asked of the owner at once */
#define IDER_CD_BLOCK     2048
#define IDER_FLOPPY_BLOCK 512

struct ider;

enum ider_drive { IDER_FLOPPY, IDER_CD, IDER_DRIVES };

/* When a change of the register state happens. */
enum ider_when {
    IDER_AT_RESET = 0x08, /* at the host's next reset */
    IDER_GRACEFUL = 0x10, /* when the host's IDE channel is idle; firmware may do it at once */
    IDER_NOW = 0x18,
};

/* Sense data: what is wrong with a command, in SCSI's terms (key, additional code, its qualifier). */
struct ider_sense {
    uint8_t key, asc, ascq;
};
extern const struct ider_sense ider_sense_none;         /* 00/00/00: nothing is wrong */
extern const struct ider_sense ider_sense_no_medium;    /* 02/3a/00 */
extern const struct ider_sense ider_sense_unreadable;   /* 03/11/00: the medium has an error there */
extern const struct ider_sense ider_sense_out_of_range; /* 05/21/00: beyond its end */

struct ider_settings {
    uint16_t silence_ms;   /* device ends the session after hearing nothing for so long: 10000..65535 */
    uint16_t heartbeat_ms; /* device's sign of life when idle: 1000..20000 */
};

/* 30000, 20000. */
extern const struct ider_settings ider_settings_default;

/* What a drive has done since the session began. */
struct ider_stats {
    uint64_t commands, reads; /* commands of the host, those among them that read blocks */
    uint64_t bytes;           /* of blocks, handed to the connection */
    uint64_t errors;          /* answered with sense data, other than 02/3a and 06/28 */
    uint64_t resets;
};

struct ider_events {
    struct redir_events session;
    /* Wants `count` blocks from lba on of the image in `drive`: count >= 1, at most IDER_READ_MAX bytes, all
     * of them within the size given to ider_insert. Answer with ider_complete(op), from inside or later. The
     * numbers of `op` are never used again. The host reads in order mostly: reading ahead pays. */
    void (*read)(void *arg, uint32_t op, enum ider_drive drive, uint32_t lba, uint32_t count);
    /* The answer to op is not wanted any more (reset, medium changed, end); an ider_complete that comes
     * nevertheless is ignored. */
    void (*cancelled)(void *arg, uint32_t op);
    /* The device's answer to ider_enable or ider_disable. done false: refused, with its own number. */
    void (*switched)(void *arg, bool on, bool done, uint32_t code);
    /* The host or its bus was reset; mask: bit 0 and 1 are the two drives. Already answered. */
    void (*reset)(void *arg, uint8_t mask);
    /* The host wants the medium out (START STOP UNIT with the eject bit). It stays in unless ider_eject. */
    void (*eject_wanted)(void *arg, enum ider_drive drive);
    /* The device reports an error of its own; the session goes on. */
    void (*device_error)(void *arg, uint8_t code);
};

/* NULL and err (invalid-argument) when login or settings are outside their ranges. The drives are empty.
 * Freed by redir_free(ider_session(ider)). */
struct ider *ider_new(const struct redir_login *login, const struct ider_settings *settings,
                      const struct ider_events *events, int64_t now_ms, struct err *err);
struct redir *ider_session(struct ider *ider); /* what drives it; borrowed */

/* Puts an image of so many blocks into a drive (of 2048 bytes CD, 512 floppy), 1..UINT32_MAX; before the
 * session is up or while it is. A floppy of at most 2880 blocks is a 1.44 MB disk, a larger one an LS-120. A
 * medium changed while the session is up is told to the host by 06/28/00, once. -1 and err
 * (invalid-argument): no image has that size. */
int ider_insert(struct ider *ider, enum ider_drive drive, uint64_t blocks, struct err *err);
/* Takes it out again: the host sees 02/3a/00. A read under way ends with that. */
void ider_eject(struct ider *ider, enum ider_drive drive);

/* Shows the drives to the host. Before `up` it is kept until then; the last call counts. `switched` follows.
 */
void ider_enable(struct ider *ider, enum ider_when when);
/* Takes them away from it. Ending the session does so, too. */
void ider_disable(struct ider *ider, enum ider_when when);

/* The answer to a read: its count blocks, n bytes (copied); or, p NULL, what is wrong with them. n other than
 * what was asked for counts as ider_sense_unreadable. An op that is not open is ignored. */
void ider_complete(struct ider *ider, uint32_t op, const void *p, size_t n, struct ider_sense sense);

const struct ider_stats *ider_stats(const struct ider *ider, enum ider_drive drive); /* borrowed */

#endif
