#include "amtcli/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"

int secret_file(const char *path, const char *command, void (*put)(FILE *file, const json_t *reply),
                const json_t *reply)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), why = errno;
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool good = file != NULL;

    if (good) {
        put(file, reply);
        good = !ferror(file) && fflush(file) == 0 && fsync(fd) == 0;
        why = errno;
        good = fclose(file) == 0 && good;
    }
    if (good)
        return EXIT_ALL;
    if (fd >= 0)
        unlink(path);
    fprintf(stderr, "amtcli %s: %s: %s\n", command, path, strerror(why));
    return EXIT_USAGE;
}
