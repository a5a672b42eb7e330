/*
 * fuzz_container: any bytes as a bundle's config.json, Docker's config.v2.json and a cgroup's name.
 * Every part of an event must lie in the text or in the words.
 */
#include "fuzz.h"

#include "common/decode/container.h"

static void check(struct span s, struct span text, const struct container_words *w)
{
	const char *from = (const char *)w;

	CHECK(s.len == 0 || (s.ptr >= text.ptr && s.ptr + s.len <= text.ptr + text.len) ||
	      (s.ptr >= from && s.ptr + s.len <= from + sizeof(*w)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct container_words w = {0};
	struct event e = {0};
	char *copy = malloc(size + 1);
	struct span text = {copy, size};

	CHECK(copy);
	memcpy(copy, data, size);
	(void)container_bundle(&w, text, &e);
	check(e.api.name, text, &w);
	check(e.api.image, text, &w);
	check(e.api.pod_name, text, &w);
	check(e.api.detail, text, &w);
	CHECK(strlen(w.engine) < sizeof(w.engine));
	(void)container_docker(&w, text, &e);
	check(e.api.name, text, &w);
	check(e.api.pod_name, text, &w);
	CHECK(container_id(text).len == 0 || container_id(text).len == CONTAINER_ID_DIGITS);
	check(container_of_name(text, SPAN_LIT("")), text, &w);
	free(copy);
	return 0;
}
