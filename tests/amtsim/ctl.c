#include "tests/amtsim/ctl.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/amtsim/control_set.h"
#include "tests/amtsim/fault.h"

enum { EXIT_REFUSED = 1, EXIT_BAD_USE = 2 };

/* NAME=VALUE: VALUE is JSON where it can be read as JSON, else text. */
static int add_change(json_t *changes, const char *word)
{
    const char *eq = strchr(word, '=');
    if (eq == NULL || eq == word)
        return -1;
    json_t *value = json_loads(eq + 1, JSON_DECODE_ANY, NULL);
    if (value == NULL)
        value = json_string(eq + 1);
    char *name = strndup(word, (size_t)(eq - word));
    int r = json_object_set_new(changes, name, value);
    free(name);
    return r;
}

/* The request for the words of the command line, NULL when they are no command. */
static json_t *request_of(int argc, char **argv)
{
    static const char *const reads[] = {"get", "record", "clear", "console", "defense"};
    if (argc == 1 && strcmp(argv[0], "fleet") == 0)
        return json_pack("{s:b}", "fleet", 1);
    if (argc == 2 && strcmp(argv[0], "json") == 0)
        return json_loads(argv[1], 0, NULL);
    for (size_t i = 0; argc == 2 && i < sizeof(reads) / sizeof(reads[0]); i++) {
        if (strcmp(argv[0], reads[i]) == 0)
            return json_pack("{s:s, s:b}", "device", argv[1], reads[i], 1);
    }
    if (argc < 3 || strcmp(argv[0], "set") != 0)
        return NULL;
    json_t *changes = json_object();
    for (int i = 2; i < argc; i++) {
        if (add_change(changes, argv[i]) != 0) {
            json_decref(changes);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o}", "device", argv[1], "set", changes);
}

static FILE *connect_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = strlen(path) < sizeof(a.sun_path) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0)
        return NULL;
    memcpy(a.sun_path, path, strlen(path) + 1);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fdopen(fd, "r+");
    close(fd);
    return NULL;
}

static int print_answer(const json_t *answer)
{
    size_t i;
    json_t *device;
    json_t *devices = json_object_get(answer, "devices");
    if (!json_is_true(json_object_get(answer, "ok"))) {
        const char *text = json_string_value(json_object_get(answer, "error"));
        fprintf(stderr, "amtsim ctl: %s\n", text != NULL ? text : "no answer");
        return EXIT_REFUSED;
    }
    if (!json_is_array(devices)) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_array_foreach(devices, i, device)
    {
        json_dumpf(device, stdout, JSON_COMPACT);
        putchar('\n');
    }
    return 0;
}

static void print_list(const char *title, const char *const *names)
{
    printf("%s:", title);
    for (size_t i = 0; names[i] != NULL; i++)
        printf(" %s", names[i]);
    putchar('\n');
}

static int print_names(void)
{
    printf("set:");
    for (size_t i = 0; control_set_name(i) != NULL; i++)
        printf(" %s", control_set_name(i));
    putchar('\n');
    print_list("fault", fault_kind_names);
    print_list("at", fault_point_names);
    print_list("how", fault_how_names);
    return 0;
}

static int say_usage(int argc, char **argv)
{
    if (argc < 3)
        fputs("amtsim ctl: expected SOCKET COMMAND\n", stderr);
    else
        fprintf(stderr, "amtsim ctl: '%s' is no command with these words\n", argv[2]);
    fputs("usage: amtsim ctl SOCKET get|record|clear|console|defense D\n"
          "       amtsim ctl SOCKET set D NAME=VALUE ...\n"
          "       amtsim ctl SOCKET fleet|names|json TEXT\n"
          "see 'amtsim --help'\n",
          stderr);
    return EXIT_BAD_USE;
}

int ctl_main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[2], "names") == 0)
        return print_names();
    json_t *request = argc >= 3 ? request_of(argc - 2, argv + 2) : NULL;
    if (request == NULL)
        return say_usage(argc, argv);
    FILE *f = connect_to(argv[1]);
    if (f == NULL) {
        fprintf(stderr, "amtsim ctl: %s: %s\n", argv[1], strerror(errno));
        json_decref(request);
        return EXIT_REFUSED;
    }
    json_dumpf(request, f, JSON_COMPACT);
    fputc('\n', f);
    fflush(f);
    json_t *answer = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
    int status = print_answer(answer);
    json_decref(answer);
    json_decref(request);
    fclose(f);
    return status;
}
