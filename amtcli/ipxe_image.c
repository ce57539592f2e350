#include "amtcli/ipxe_image.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"

#define URL_MAX 1024
#define UNIQUE                                                                                               \
    "XX"                                                                                                     \
    "XX"                                                                                                     \
    "XX" /* for mkdtemp */

/* What goes into the image, where it comes from, and the package that has it. */
static const struct part {
    const char *name;
    const char *from;
    const char *package;
} parts[] = {
    {"isolinux.bin", "/usr/lib/ISOLINUX/isolinux.bin", "isolinux"},
    {"ldlinux.c32", "/usr/lib/syslinux/modules/bios/ldlinux.c32", "syslinux-common"},
    {"ipxe.lkrn", "/boot/ipxe.lkrn", "ipxe"},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static const char loader[] = "SERIAL 0 115200\n"
                             "DEFAULT ipxe\n"
                             "LABEL ipxe\n"
                             "  KERNEL ipxe.lkrn\n"
                             "  INITRD boot.ipxe\n";

/* The network of a machine that just woke up may need a while. */
static const char script[] = "#!ipxe\n"
                             ":again\n"
                             "dhcp && chain --autofree %s || sleep 5\n"
                             "goto again\n";

static const char *const names[] = {"isolinux.bin", "ldlinux.c32", "ipxe.lkrn", "isolinux.cfg", "boot.ipxe"};

/* The address becomes part of a script: nothing in it may end the word. */
static int check_url(const char *url, struct err *err)
{
    size_t n = strlen(url);

    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "iPXE needs an address that begins with http:// or https://");
    if (n > URL_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the address is longer than %d bytes", URL_MAX);
    for (size_t i = 0; i < n; i++)
        if (url[i] <= ' ' || url[i] > '~' || strchr("|&$\"'\\", url[i]))
            return err_set(err, CAUSE_INVALID_ARGUMENT,
                           "the address has a character that iPXE's scripts do not take: write it as %%%02X",
                           (unsigned char)url[i]);
    return 0;
}

static int copy(int dir, const struct part *part, struct err *err)
{
    int from = open(part->from, O_RDONLY | O_CLOEXEC), to = -1, status = 0;
    struct stat st;
    ssize_t n = 1;

    if (from < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s (of the package %s)", part->from, part->package);
    to = openat(dir, part->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0 || fstat(from, &st) != 0)
        n = -1;
    while (n > 0)
        n = sendfile(to, from, NULL, 1 << 20);
    if (n < 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", part->name);
    close(from);
    if (to >= 0)
        close(to);
    return status;
}

static int put_text(int dir, const char *name, const char *text, struct err *err)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t n = strlen(text);
    bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;

    if (!good)
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", name);
    if (fd >= 0)
        close(fd);
    return good ? 0 : -1;
}

static int put_all(const char *path, const char *url, struct err *err)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *text = xasprintf(script, url);
    int status = dir >= 0 ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);

    for (size_t i = 0; status == 0 && i < PARTS; i++)
        status = copy(dir, &parts[i], err);
    if (status == 0)
        status = put_text(dir, "isolinux.cfg", loader, err);
    if (status == 0)
        status = put_text(dir, "boot.ipxe", text, err);
    free(text);
    if (dir >= 0)
        close(dir);
    return status;
}

static void remove_all(const char *path)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; dir >= 0 && i < sizeof(names) / sizeof(names[0]); i++)
        unlinkat(dir, names[i], 0);
    if (dir >= 0)
        close(dir);
    rmdir(path);
}

static int run_xorriso(const char *from, const char *to, struct err *err)
{
    const char *const argv[] = {"xorriso",
                                "-as",
                                "mkisofs",
                                "-quiet",
                                "-r",
                                "-J",
                                "-o",
                                to,
                                "-V",
                                "IPXE",
                                "-b",
                                "isolinux.bin",
                                "-c",
                                "boot.cat",
                                "-no-emul-boot",
                                "-boot-load-size",
                                "4",
                                "-boot-info-table",
                                from,
                                NULL};
    posix_spawn_file_actions_t actions;
    int status = 0, number;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    number = posix_spawnp(&pid, "xorriso", &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (number != 0)
        return err_set_errno(err, CAUSE_SYSTEM, number, "xorriso (of the package xorriso)");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, CAUSE_SYSTEM, "xorriso did not write the image (status %d)", status);
    return 0;
}

char *ipxe_image_make(const char *url, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    char *dir, *image = NULL;
    int fd = -1;

    if (check_url(url, err) != 0)
        return NULL;
    dir = xasprintf("%s/amtcli-ipxe." UNIQUE, tmp && tmp[0] == '/' ? tmp : "/tmp");
    if (!mkdtemp(dir)) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", dir);
        free(dir);
        return NULL;
    }
    image = xasprintf("%s.iso", dir);
    fd = open(image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", image);
    if (fd < 0 || put_all(dir, url, err) != 0 || run_xorriso(dir, image, err) != 0) {
        if (fd >= 0)
            unlink(image);
        free(image);
        image = NULL;
    }
    if (fd >= 0)
        close(fd);
    remove_all(dir);
    free(dir);
    return image;
}
