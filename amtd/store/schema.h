/* The files of the directory schema, in their order; built into the program (cmake/embed.cmake). Never change
 * one that was released: a change is a further file. */
#ifndef AMTD_STORE_SCHEMA_H
#define AMTD_STORE_SCHEMA_H

#include <stddef.h>

/* SQL, each ending with a NUL; constant for the life of the program. */
extern const char *const schema_files[];
extern const size_t schema_files_count;

#endif
