/* Filter files from text, for tests. */
#ifndef TESTS_UNIT_FILTERS_TEXT_FILE_H
#define TESTS_UNIT_FILTERS_TEXT_FILE_H

#include "filters/file.h"

#define HEAD "<network-filters xmlns='urn:amt-network-filters:1' name='t'>"
#define TAIL "</network-filters>"

/* Parses HEAD body TAIL under the name "t.xml"; no includes. Findings are added. */
struct filter_file *file_of(const char *body, struct findings *findings);
/* The same, bound with "name=value" words (NULL: none), and placeholders. Fails the test on any error. */
struct ruleset *rules_of(const char *body, const char *const *names, struct filter_file **file);
/* True when one of the findings has all of this text in its line. */
bool found(const struct findings *findings, const char *text);

#endif
