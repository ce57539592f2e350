/* Files of text that amtd checks whole: read here, and the mistakes that it found printed. */
#ifndef AMTCLI_TEXT_FILE_H
#define AMTCLI_TEXT_FILE_H

#include <jansson.h>
#include <stddef.h>

/* Reads FILE ("-": standard input), at most max bytes of UTF-8. what: "a job file". 0 and *text; or
 * EXIT_USAGE after a message. */
int text_file_read(const char *path, size_t max, const char *what, json_t **text);
/* Says that the file cannot be read, of errno value `number`: what was expected there, and where it was
 * looked for. */
void text_file_unread(const char *path, const char *what, int number);
/* "dir/nightly.yaml" -> "nightly", with what a name cannot hold as '-'; of standard input: fallback.
 * Caller's.
 */
char *text_file_name(const char *path, const char *fallback);
/* The number of mistakes [{line, column, text}], each printed to stderr with its place. */
size_t text_file_tell(const json_t *mistakes, const char *path);

#endif
