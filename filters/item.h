/* One rule or need of a file as a struct rule. Internal to filters/: shared by reading and binding. */
#ifndef FILTERS_ITEM_H
#define FILTERS_ITEM_H

#include "filters/file.h"

/* Fills `out` (zeroed before) from a rule's or need's attributes. With names NULL only form and combinations
 * are checked, and lists hold only what is written out. Every mistake goes to findings; the caller frees
 * out->match in any case. */
void item_rule(const struct filter_item *item, struct names *names, struct rule *out,
               struct findings *findings);
/* The values alone, with names NULL: for a rule whose attributes have mistakes already, where what its values
 * come to together would be guessed. */
void item_values(const struct filter_item *item, struct names *names, struct rule *out,
                 struct findings *findings);
/* enabled="no" */
bool item_is_off(const struct filter_item *item);

#endif
