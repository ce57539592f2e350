/* Regular expressions over lines, for Hyperscan: what searching and watching have in common.
 *
 * Extended regular expressions with Perl's escapes; no back references and no look-around, which no matcher
 * of many patterns at once can have. They match bytes: a character beyond ASCII matches itself, but '.' is
 * one byte of it. '^' and '$' are the ends of a line, and a CR at its end is not part of it. */
#ifndef AMTD_CONSOLE_TEXT_LINE_REGEX_H
#define AMTD_CONSOLE_TEXT_LINE_REGEX_H

#include <hs/hs_compile.h>

#include "base/buf.h"
#include "base/err.h"

#define LINE_REGEX_MAX      4096 /* bytes */
#define LINE_REGEX_TEXT_MAX (4 * LINE_REGEX_MAX)
#define LINE_REGEX_HS_FLAGS HS_FLAG_MULTILINE

/* Appends the expression as Hyperscan is to have it. -1 and err (invalid-argument) when it is too long. */
int line_regex_text(const char *regex, struct buf *out, struct err *err);
/* Why Hyperscan did not take it, as an error (invalid-argument). Frees error, which may be NULL. Returns -1.
 */
int line_regex_failure(const char *regex, hs_compile_error_t *error, struct err *err);

#endif
