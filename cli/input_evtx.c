/*
 * input_evtx: Windows event log files, read by libevtx and passed on as event XML, so that a file
 * and `wevtutil qe /f:xml` are decoded by the same code.
 *
 * Sees every record that the file still holds, in the file's order (a log that went round is not
 * in the order of time; replay sorts). Cannot see: records that were overwritten. A file that is
 * shorter than its header says, a damaged chunk and a record that does not render are told.
 *
 * Example: Security.evtx from C:\\Windows\\System32\\winevt\\Logs, copied while Windows writes it.
 */
#include <libevtx.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/input.h"

#define HEADER_SIZE   4096
#define CHUNK_SIZE    65536
#define CHUNKS_OFFSET 42 /* of the number of chunks, 16 bits little-endian */

struct evtx {
	libevtx_file_t *file;
	const char *name;
	const struct input_sink *sink;
	char *xml;
	size_t cap;
};

static bool room_for(struct evtx *x, size_t size)
{
	char *more;

	if (size <= x->cap)
		return true;
	more = realloc(x->xml, size);
	if (!more)
		return false;
	x->xml = more;
	x->cap = size;
	return true;
}

/* NULL, or why the record cannot be had. */
static const char *give_record(struct evtx *x, libevtx_record_t *record)
{
	size_t size = 0;

	if (libevtx_record_get_utf8_xml_string_size(record, &size, NULL) != 1 || size < 2)
		return "damaged: it cannot be shown as XML";
	if (size > DECODE_RECORD_MAX)
		return "longer than 64 KiB";
	if (!room_for(x, size) ||
	    libevtx_record_get_utf8_xml_string(record, (uint8_t *)x->xml, size, NULL) != 1)
		return "damaged: it cannot be shown as XML";
	x->sink->line(x->sink->arg, (struct span){x->xml, size - 1});
	return NULL;
}

static void read_record(struct evtx *x, int index)
{
	libevtx_record_t *record = NULL;
	const char *wrong = "damaged: it cannot be read";

	if (libevtx_file_get_record_by_index(x->file, index, &record, NULL) == 1)
		wrong = give_record(x, record);
	if (wrong && x->sink->bad)
		x->sink->bad(x->sink->arg, (uint64_t)index + 1, wrong);
	if (record)
		libevtx_record_free(&record, NULL);
}

/* Does the file hold the chunks that its header counts? */
static int check_size(const char *path, const char *name)
{
	unsigned char head[128];
	FILE *f = fopen(path, "rb");
	long size = -1;
	size_t n = f ? fread(head, 1, sizeof(head), f) : 0;
	unsigned chunks;

	if (f && !fseek(f, 0, SEEK_END))
		size = ftell(f);
	if (f)
		fclose(f);
	if (n < sizeof(head) || size < HEADER_SIZE)
		return command_fail(EXIT_INPUT, "%s: the event log is cut short in its header",
				    name);
	chunks = head[CHUNKS_OFFSET] | (unsigned)head[CHUNKS_OFFSET + 1] << 8;
	if ((unsigned long)size >= HEADER_SIZE + (unsigned long)chunks * CHUNK_SIZE)
		return 0;
	return command_fail(EXIT_INPUT,
			    "%s: the event log is cut short: %lu of %u chunks are there (record "
			    "counts are of those)",
			    name, ((unsigned long)size - HEADER_SIZE) / CHUNK_SIZE, chunks);
}

static int read_all(struct evtx *x)
{
	int count = 0;

	if (libevtx_file_get_number_of_records(x->file, &count, NULL) != 1)
		return command_fail(EXIT_INPUT, "%s: the event log's records cannot be counted",
				    x->name);
	for (int i = 0; i < count; i++)
		read_record(x, i);
	return 0;
}

int input_read_evtx(const char *path, const char *name, const struct input_sink *sink)
{
	struct evtx x = {.name = name, .sink = sink};
	int cut = check_size(path, name), r = 0;

	if (libevtx_file_initialize(&x.file, NULL) != 1)
		return command_fail(EXIT_INPUT, "out of memory");
	if (libevtx_file_open(x.file, path, LIBEVTX_OPEN_READ, NULL) == 1) {
		r = read_all(&x);
		libevtx_file_close(x.file, NULL);
	} else if (!cut) {
		r = command_fail(EXIT_INPUT, "%s: damaged: no Windows event log can be read in it",
				 name);
	}
	libevtx_file_free(&x.file, NULL);
	free(x.xml);
	return cut ? cut : r;
}
