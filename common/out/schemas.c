/* schemas: the registry. A line in schema.def without a file does not link. */
#include "schema.h"

#include <errno.h>
#include <string.h>

#define SCHEMA(name) extern const struct out_schema schema_##name;
#include "schema.def"
#undef SCHEMA

#define SCHEMA(name) &schema_##name,
static const struct out_schema *const schemas[] = {
#include "schema.def"
};
#undef SCHEMA

const struct out_schema *out_schema_at(unsigned i)
{
	return i < sizeof(schemas) / sizeof(schemas[0]) ? schemas[i] : NULL;
}

const struct out_schema *out_schema_named(struct span name)
{
	const struct out_schema *s;

	for (unsigned i = 0; (s = out_schema_at(i)); i++)
		if (span_is(name, s->name))
			return s;
	return NULL;
}

int out_mark_repeat(const struct out_schema *s, char *buf, size_t len, size_t cap)
{
	size_t n = strlen(s->repeat);

	if (len < s->closing || len + n >= cap)
		return -ENOSPC;
	memmove(buf + len - s->closing + n, buf + len - s->closing, s->closing + 1);
	memcpy(buf + len - s->closing, s->repeat, n);
	return (int)(len + n);
}
