/* `amtd import FILE`: other tools' configuration as amtd's. */
#ifndef AMTD_IMPORT_H
#define AMTD_IMPORT_H

/* argv[0] is "import". The YAML goes to stdout, what has no counterpart to stderr. Returns the exit code: 0
 * done, 1 the file has mistakes or a console was left out, 2 wrong usage. */
int import_main(int argc, char **argv);

#endif
