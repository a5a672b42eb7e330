/* json_read: see the header. */
#include "json_read.h"

#include <stdio.h>
#include <stdlib.h>

/* Of the thread that reads; jansson's functions for memory are the process's. */
static _Thread_local unsigned refused;

static void *take(size_t n)
{
	void *p = malloc(n ? n : 1);

	refused += p == NULL;
	return p;
}

json_t *json_read(const char *text, size_t len, size_t flags, json_error_t *error)
{
	json_error_t own;
	json_t *o;

	json_set_alloc_funcs(take, free);
	refused = 0;
	o = json_loadb(text ? text : "", text ? len : 0, flags, error ? error : &own);
	if (!refused)
		return o;
	json_decref(o);
	if (error)
		snprintf(error->text, sizeof(error->text), "out of memory");
	return NULL;
}
