#include "amtd/pushed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"

#define FILE_NAME "consoles.yaml"

static bool has(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->console_count; i++)
        if (strcmp(config->consoles[i].name, name) == 0)
            return true;
    return false;
}

static void configure(struct hub *hub, const struct config *own, const struct config *pushed)
{
    struct console_settings *all = xcalloc(own->console_count + pushed->console_count + 1, sizeof(*all));
    size_t count = 0;

    for (size_t i = 0; i < own->console_count; i++)
        all[count++] = own->consoles[i];
    for (size_t i = 0; i < pushed->console_count; i++) {
        if (has(own, pushed->consoles[i].name))
            log_warn(pushed->consoles[i].name,
                     "is configured here, too: what the server says of it does not count");
        else
            all[count++] = pushed->consoles[i];
    }
    hub_configure(hub, all, count, NULL);
    free(all); /* its texts are borrowed */
}

int pushed_take(struct hub *hub, const char *state_dir, const struct config *own, const void *p, size_t n,
                struct buf *mistakes)
{
    char *path = xasprintf("%s/" FILE_NAME, state_dir);
    struct err err = ERR_INIT;
    struct config pushed;
    int status;

    config_init(&pushed);
    status = config_parse_consoles(&pushed, "configuration", p, n, mistakes);
    if (status == 0 && (status = file_replace(path, p, n, &err)) != 0)
        buf_puts(mistakes, err.text);
    if (status == 0)
        configure(hub, own, &pushed);
    config_clear(&pushed);
    free(path);
    return status;
}

void pushed_apply(struct hub *hub, const char *state_dir, const struct config *own)
{
    char *path = xasprintf("%s/" FILE_NAME, state_dir);
    struct buf text = buf_init(1 << 24), mistakes = buf_init(65536);
    FILE *file = fopen(path, "re");
    struct config pushed;
    uint8_t *room;
    size_t n;

    config_init(&pushed);
    while (file && (room = buf_room(&text, 65536)) && (n = fread(room, 1, 65536, file)) > 0)
        buf_added(&text, n);
    if (file)
        fclose(file);
    if (file && config_parse_consoles(&pushed, path, text.p, text.len, &mistakes) != 0)
        log_err(NULL, "the consoles from the server are not used: %s", buf_str(&mistakes));
    configure(hub, own, &pushed);
    config_clear(&pushed);
    buf_free(&text);
    buf_free(&mistakes);
    free(path);
}
