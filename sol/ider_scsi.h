/* What the two drives answer to a SCSI command: a table, without any session. (reference redirection.md,
 * section 3.6, after MMC, SBC and SPC; where real hosts are known to want it otherwise, as they want it) */
#ifndef SOL_IDER_SCSI_H
#define SOL_IDER_SCSI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "sol/ider.h"

#define IDER_CDB        12
#define IDER_ANSWER_MAX 128

/* A drive as its commands see it. */
struct ider_medium {
    enum ider_drive drive;
    bool changed;    /* the host is still to be told that the medium is another one */
    uint32_t blocks; /* 0: the drive is empty */
};

struct ider_answer {
    struct ider_sense sense; /* other than none: the command failed, and nothing else counts */
    bool read;               /* blocks are wanted, count of them from lba on; all of them exist */
    bool eject;              /* the host wants the medium out */
    uint32_t lba, count;
    size_t n; /* bytes of data, already cut to what the host has room for */
    uint8_t data[IDER_ANSWER_MAX];
};

/* Never fails: what is not known is answered with 05/20/00. Clears medium->changed when it has told it. */
void ider_scsi_answer(struct ider_medium *medium, const uint8_t cdb[IDER_CDB], struct ider_answer *answer);

uint32_t ider_block_size(enum ider_drive drive);

#endif
