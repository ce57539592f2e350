/* Text of the configuration that is typed into a console, in conserver's notation: \a \b \f \n \r \t \v \\ \^
 * and \ooo (one to three octal digits) are single bytes, ^X is a control character, ^? is delete, \z a break
 * of the line and \d a pause. Everything else stands for itself. */
#ifndef AMTD_CONSOLE_TYPED_TEXT_H
#define AMTD_CONSOLE_TYPED_TEXT_H

#include <stdbool.h>
#include <stdint.h>

enum typed { TYPED_END, TYPED_BYTE, TYPED_BREAK, TYPED_PAUSE, TYPED_WRONG };

/* What comes next; *p moves behind it. WRONG: a backslash or caret with nothing that belongs to it behind. */
enum typed typed_text_next(const char **p, uint8_t *byte);
/* Nothing in it is wrong. */
bool typed_text_ok(const char *text);

#endif
