/* forward_words: of config_forward.h, what the sender needs, too: it links no parser. */
#include "config_forward.h"

#include <stddef.h>

#define FORWARD(id, word) word,
const char *const forward_kinds[] = {
#include "config_forward.def"
	NULL};
#undef FORWARD

bool forward_wants(const struct config_forwarder *f, enum forward_what what, uint32_t severity)
{
	for (uint32_t i = 0; i < f->send_count; i++)
		if (1u << f->send[i] == (unsigned)what)
			return what != FORWARD_ALERTS || severity >= f->severity;
	return false;
}
