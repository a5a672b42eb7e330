/*
 * wrapped: many JSON records in one line, as clouds deliver them: {"Records":[...]} of CloudTrail,
 * {"records":[...]} of Azure's Event Hub, {"value":[...]} of Graph, or an array alone. Internal to
 * decode/ but for wrapped_whole().
 *
 * Only scalar members may stand before the list, so that whether a line is one is known from its
 * beginning. What follows the list is not looked at.
 */
#ifndef OUTERGATE_DECODE_WRAPPED_H
#define OUTERGATE_DECODE_WRAPPED_H

#include "../span.h"

/* Does a list begin here? Then *ret_rest is what follows its bracket. */
bool wrapped_begin(struct span line, struct span *ret_rest);
/*
 * The next record, as far as it goes: one that is cut is all that is left. False: there is none;
 * *ret_open says that the list goes on in another part of the line.
 */
bool wrapped_cut(struct span *rest, struct span *ret_record, bool *ret_open);
/*
 * For who reads lines into a buffer: of a line that is longer than it, how much of the part ends
 * with a whole record. `continues`: the part follows one that was given like that. 0: no such list.
 */
size_t wrapped_whole(struct span part, bool continues);

#endif
