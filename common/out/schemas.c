/* schemas: the registry. A line in schema.def without a file does not link. */
#include "schema.h"

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
