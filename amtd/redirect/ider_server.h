/* IDE redirection of one host: its session, and the images in its drives.
 *
 * When only a CD is given, an empty floppy disk is offered beside it: without one the USB storage that newer
 * firmware makes of the drives is reset again and again, and does not boot. Loop's thread only. */
#ifndef AMTD_REDIRECT_IDER_SERVER_H
#define AMTD_REDIRECT_IDER_SERVER_H

#include "amtd/redirect/image.h"
#include "amtd/redirect/redirect.h"
#include "sol/ider.h"

struct ider_server;

struct ider_image {
    uint64_t size; /* 0: no image in this drive */
    /* Asks for bytes, as in image_owner; drive says of which. */
    void (*fetch)(void *arg, enum ider_drive drive, uint32_t tag, uint64_t offset, uint32_t n);
};

struct ider_server_events {
    void *arg;
    void (*note)(void *arg, const char *text); /* one line for people */
    /* The session stands and the machine has its drives. */
    void (*up)(void *arg);
    /* The first time that bytes of an image could not be had. */
    void (*image_failed)(void *arg, enum ider_drive drive, const struct err *err);
    /* Over; free it. why NULL: ended by ider_server_stop. */
    void (*down)(void *arg, const struct err *why);
};

/* Prepares the host, opens the session, shows the drives to the machine. At least one image has a size. */
struct ider_server *ider_server_start(struct redirect *redirect, const char *host, enum ider_when when,
                                      const struct ider_image images[IDER_DRIVES],
                                      const struct ider_server_events *events);
/* Takes the drives away and ends the session in order: `down` follows. */
void ider_server_stop(struct ider_server *server);
/* Ends it at once. No callback follows. NULL is fine. */
void ider_server_free(struct ider_server *server);

/* What was fetched of a drive's image; as image_arrived. */
void ider_server_arrived(struct ider_server *server, enum ider_drive drive, uint32_t tag, const void *p,
                         size_t n, const struct err *failure);

/* Nothing of what is being fetched of that drive will come. */
void ider_server_lost(struct ider_server *server, enum ider_drive drive, const struct err *failure);

struct ider_server_state {
    bool up;
    uint64_t reads, bytes, resets; /* of both drives */
    uint64_t touched, size;        /* of the images given */
    bool image_failed;
};
struct ider_server_state ider_server_state(const struct ider_server *server);

#endif
