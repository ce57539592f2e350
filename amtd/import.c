#include "amtd/import.h"

#include <stdio.h>
#include <string.h>

#include "amtd/compat/conserver_import.h"

#define YAML_MAX (256 * 1024 * 1024)

static const char usage_text[] =
    "usage: amtd import CONSERVER.CF\n"
    "\n"
    "Writes the consoles of a conserver configuration as amtd's to standard output, and what has no\n"
    "counterpart to standard error, each with its place. Look through both before you use it.\n"
    "\n"
    "examples:\n"
    "  amtd import /etc/conserver/conserver.cf > /etc/amtd/conf.d/consoles.yaml\n"
    "  amtd --check\n"
    "\n"
    "exit status: 0 all consoles were translated, 1 some were not or the file has mistakes, 2 wrong usage\n";

static int import(const struct cf *cf)
{
    struct buf yaml = buf_init(YAML_MAX), notes = buf_init(YAML_MAX);
    struct import_result result;
    struct err err = ERR_INIT;
    int code = 1;

    if (conserver_import(cf, &yaml, &notes, &result, &err) != 0) {
        fprintf(stderr, "amtd import: %s\n", err.text);
    } else {
        fwrite(yaml.p, 1, yaml.len, stdout);
        fputs(buf_str(&notes), stderr);
        fprintf(stderr, "%zu consoles translated, %zu left out, %zu notes\n", result.consoles,
                result.left_out, result.notes);
        code = fflush(stdout) == 0 && result.left_out == 0 ? 0 : 1;
    }
    buf_free(&yaml);
    buf_free(&notes);
    return code;
}

int import_main(int argc, char **argv)
{
    struct buf mistakes = buf_init(1 << 20);
    struct cf cf;
    int code;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage_text, stdout);
        return 0;
    }
    if (argc != 2 || argv[1][0] == '-') {
        fputs(argc < 2 ? "amtd import: expected the name of a file; try 'amtd import --help'\n"
                       : "amtd import: expected one file and no options; try 'amtd import --help'\n",
              stderr);
        return 2;
    }
    if (cf_read(&cf, argv[1], &mistakes) == 0) {
        code = import(&cf);
    } else {
        fputs(buf_str(&mistakes), stderr);
        code = 1;
    }
    cf_clear(&cf);
    buf_free(&mistakes);
    return code;
}
