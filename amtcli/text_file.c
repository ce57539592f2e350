#include "amtcli/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

/* 0, or -1 with errno. */
static int read_all(FILE *file, struct buf *text)
{
    uint8_t *room;
    size_t n;

    do {
        room = buf_room(text, 65536);
        n = room ? fread(room, 1, 65536, file) : 0;
        buf_added(text, n);
    } while (n > 0);
    return ferror(file) ? -1 : 0;
}

void text_file_unread(const char *path, const char *what, int number)
{
    char *here = path[0] != '/' && number == ENOENT ? getcwd(NULL, 0) : NULL;

    fprintf(stderr, "amtcli: %s: %s: expected %s%s%s\n", path, strerror(number), what,
            here ? "; looked in " : "", here ? here : "");
    free(here);
}

int text_file_read(const char *path, size_t max, const char *what, json_t **text)
{
    struct buf bytes = buf_init(max + 65536);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    int status = file ? read_all(file, &bytes) : -1;

    if (status != 0)
        text_file_unread(path, what, errno);
    else if (bytes.len > max)
        fprintf(stderr, "amtcli: %s: %s is at most %zu KiB large\n", path, what, max / 1024);
    else if (!text_is_utf8(buf_str(&bytes), bytes.len))
        fprintf(stderr, "amtcli: %s: this is not text in UTF-8\n", path);
    else
        *text = json_stringn(buf_str(&bytes), bytes.len);
    if (file && file != stdin)
        fclose(file);
    buf_free(&bytes);
    return *text ? 0 : EXIT_USAGE;
}

/* "dir/nightly.yaml" -> "nightly", with what a name cannot hold as '-'. */
char *text_file_name(const char *path, const char *fallback)
{
    const char *slash = strrchr(path, '/');
    char *name = xstrdup(strcmp(path, "-") == 0 ? fallback : slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');

    if (dot && dot > name)
        *dot = '\0';
    for (char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p))
            *p = '-';
    if (strlen(name) > 64)
        name[64] = '\0';
    return name;
}

size_t text_file_tell(const json_t *mistakes, const char *path)
{
    const json_t *one;
    size_t i;

    json_array_foreach(mistakes, i, one)
    {
        json_int_t line = json_integer_value(json_object_get(one, "line"));
        const char *text = json_string_value(json_object_get(one, "text"));

        if (line > 0)
            fprintf(stderr, "%s:%lld:%lld: %s\n", path, (long long)line,
                    (long long)json_integer_value(json_object_get(one, "column")), text);
        else
            fprintf(stderr, "%s: %s\n", path, text);
    }
    return json_array_size(mistakes);
}
