/* A new file with something secret, for this user only. */
#ifndef AMTCLI_SECRET_FILE_H
#define AMTCLI_SECRET_FILE_H

#include <jansson.h>
#include <stdio.h>

/* Makes it, has `put` write what it is to hold of `reply`, and sees it onto the disk. A file that is there
 * already is left alone, one that could not be written whole is removed. EXIT_ALL, or EXIT_USAGE after a
 * message. */
int secret_file(const char *path, const char *command, void (*put)(FILE *file, const json_t *reply),
                const json_t *reply);

#endif
