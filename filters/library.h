/* The filter files that come with the product, found by bare name.
 *
 * They are looked for in the folder that the environment's AMTD_FILTERS names, else beside the program
 * (BIN/../share/amtd/filters), else where the product was installed. */
#ifndef FILTERS_LIBRARY_H
#define FILTERS_LIBRARY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the path that a word on the command line means: with a '/' or when there is such a file in the
 * current folder the word itself, else the product's file of that name, with or without ".xml". -1: neither.
 */
int filter_library_find(const char *word, struct buf *path, struct err *err);
/* Appends the folder of the product's files; false when there is none. */
bool filter_library_folder(struct buf *path);
/* Calls fn with the path of every file of the product, sorted by name. -1: the folder cannot be read. */
int filter_library_each(void (*fn)(void *arg, const char *path), void *arg, struct err *err);

#endif
