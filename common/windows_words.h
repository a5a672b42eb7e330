/*
 * windows_words: what decoders and the core both look for in names and command lines of Windows.
 */
#ifndef OUTERGATE_WINDOWS_WORDS_H
#define OUTERGATE_WINDOWS_WORDS_H

#include "span.h"

/* Equal but for the case of A to Z. */
bool windows_same_name(struct span a, struct span b);
/* Does word stand in text, in any case? */
bool windows_has(struct span text, const char *word);
/* Does that command line or script switch Remote Desktop on, or forward a port? */
bool windows_enables_rdp(struct span command);
bool windows_forwards_port(struct span command);

#endif
