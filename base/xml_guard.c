#include "base/xml_guard.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/xml.h"

#define HARMLESS      8192  /* bytes: not worth a look; nearly all answers of AMT are shorter */
#define UNKNOWN_MOST  32768 /* of text in which the signs of ASCII may stand for something else */
#define ENCODING_SIZE 40

/* Counted from each '<' on, which in a well-formed document stands in no value of an attribute: the end of a
 * tag may be found where there is none, but no tag is missed, and none of its attributes. */
static bool has_many_attributes(const char *p, const char *end)
{
    while ((p = memchr(p, '<', (size_t)(end - p)))) {
        size_t count = 0;
        char quote = 0;

        if (++p < end && (*p == '!' || *p == '?')) /* no tag */
            continue;
        for (; p < end && *p != '<' && (quote || *p != '>'); p++) {
            if (quote)
                quote = *p == quote ? 0 : quote;
            else if (*p == '"' || *p == '\'')
                quote = *p;
            else if (*p == '=' && ++count > XML_ATTRIBUTES_MAX)
                return true;
        }
    }
    return false;
}

/* Of the encodings in which a byte of ASCII is always what it is there. */
static bool is_plain_encoding(const char *name)
{
    static const char *const plain[] = {"utf-8", "us-ascii", "ascii", "iso-8859-", "windows-125"};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strncasecmp(name, plain[i], strlen(plain[i])) == 0)
            return true;
    return false;
}

/* The text of the XML declaration says in which encoding it is, if it is not UTF-8. */
static bool is_declared_plain(const char *p, const char *end)
{
    static const char declares[] = "encoding", ends[] = "?>";
    const char *stop = memmem(p, (size_t)(end - p), ends, strlen(ends));
    const char *at = stop ? memmem(p, (size_t)(stop - p), declares, strlen(declares)) : NULL;
    char name[ENCODING_SIZE] = "";

    if (!stop || !at)
        return stop != NULL;
    at += strlen(declares);
    while (at < stop && strchr(" \t\r\n=\"'", *at))
        at++;
    for (size_t i = 0; i + 1 < sizeof(name) && at < stop && *at != '"' && *at != '\''; i++)
        name[i] = *at++;
    return is_plain_encoding(name);
}

static bool is_plain(const char *p, const char *end)
{
    static const char mark[] = "\xef\xbb\xbf", declaration[] = "<?xml";
    size_t n = (size_t)(end - p);

    if (memchr(p, 0, n)) /* UTF-16, for one */
        return false;
    if (n >= strlen(mark) && memcmp(p, mark, strlen(mark)) == 0)
        p += strlen(mark);
    n = (size_t)(end - p);
    if (n >= strlen(declaration) && memcmp(p, declaration, strlen(declaration)) == 0)
        return is_declared_plain(p, end);
    return n == 0 || strchr("< \t\r\n", *p);
}

int xml_guard(const void *p, size_t n, const char *what, struct err *err)
{
    const char *end;

    if (n <= HARMLESS) /* p may be NULL for nothing */
        return 0;
    end = (const char *)p + n;
    if (!is_plain(p, end))
        return n <= UNKNOWN_MOST ? 0
                                 : err_set(err, CAUSE_BAD_ANSWER,
                                           "%s: %zu bytes of XML in another encoding than UTF-8, at most %d "
                                           "are read",
                                           what, n, UNKNOWN_MOST);
    return has_many_attributes(p, end)
               ? err_set(err, CAUSE_TOO_LARGE, "%s: XML with more than %d attributes in one tag", what,
                         XML_ATTRIBUTES_MAX)
               : 0;
}
