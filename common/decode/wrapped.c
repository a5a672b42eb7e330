/* wrapped: see wrapped.h. */
#include "wrapped.h"

#include "json_tree.h"

#define BEFORE_MAX 4 /* members in front of the list */

static bool is_list_name(struct span name)
{
	return span_is(name, "Records") || span_is(name, "records") || span_is(name, "value");
}

static struct span rest_of(const struct json *j)
{
	return (struct span){j->p, (size_t)(j->end - j->p)};
}

/* Text logs begin with a bracket, too. */
static bool begins_records(struct json j)
{
	return json_char(&j, ']') || (json_char(&j, '{') && (json_char(&j, '"')));
}

bool wrapped_begin(struct span line, struct span *ret_rest)
{
	struct json j = {.p = line.ptr, .end = line.ptr + line.len};
	struct span name, value;

	if (json_char(&j, '[')) {
		*ret_rest = rest_of(&j);
		return begins_records(j);
	}
	if (!json_char(&j, '{'))
		return false;
	json_space(&j);
	for (unsigned n = 0; n <= BEFORE_MAX; n++) {
		if (!json_quoted(&j, &name) || !json_char(&j, ':'))
			return false;
		if (json_char(&j, '[')) {
			*ret_rest = rest_of(&j);
			return is_list_name(name);
		}
		json_space(&j);
		if (j.p < j.end && *j.p == '"' ? !json_quoted(&j, &value) : !json_bare(&j, &value))
			return false;
		if (!json_char(&j, ','))
			return false;
		json_space(&j);
	}
	return false;
}

bool wrapped_cut(struct span *rest, struct span *ret_record, bool *ret_open)
{
	struct json j = {.p = rest->ptr, .end = rest->ptr + rest->len};

	(void)json_char(&j, ',');
	json_space(&j);
	*ret_open = j.p == j.end;
	if (*ret_open || *j.p == ']') {
		*rest = (struct span){0};
		return false;
	}
	*ret_record = rest_of(&j);
	if (json_pass(&j))
		ret_record->len = (size_t)(j.p - ret_record->ptr);
	else
		j.p = j.end;
	*rest = rest_of(&j);
	return true;
}

size_t wrapped_whole(struct span part, bool continues)
{
	struct span rest = part;
	struct json j;
	const char *end = part.ptr;

	if (!continues && !wrapped_begin(part, &rest))
		return 0;
	j = (struct json){.p = rest.ptr, .end = rest.ptr + rest.len};
	if (continues && !json_char(&j, ','))
		return 0;
	while (json_pass(&j)) {
		end = j.p;
		if (!json_char(&j, ','))
			break;
	}
	return (size_t)(end - part.ptr);
}
