/* command: the table and what every command shares. */
#include "command.h"
#include "range_files.h"
#include "zone_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND(name) &command_##name,
const struct command *const commands[] = {
#include "commands.def"
	NULL,
};
#undef COMMAND
const unsigned commands_count = sizeof(commands) / sizeof(commands[0]) - 1;

static char failed[COMMAND_FAILED_MAX];

int command_fail(int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(failed, sizeof(failed), format, ap);
	va_end(ap);
	va_start(ap, format);
	fputs("outergate: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	return code;
}

const char *command_failed(void)
{
	return failed;
}

int command_usage(const struct command *c, const char *what)
{
	return command_fail(EXIT_USAGE, "%s: %s; see outergate %s --help", c->name, what, c->name);
}

int command_read_file(const char *path, size_t max, char **ret, size_t *ret_len)
{
	size_t len = 0, cap = 65536;
	FILE *f = fopen(path, "rb");
	char *buf = NULL;
	int err = 0;

	if (!f)
		return -errno;
	for (;;) {
		char *bigger = realloc(buf, cap + 1);

		if (!bigger) {
			err = -ENOMEM;
			break;
		}
		buf = bigger;
		len += fread(buf + len, 1, cap - len, f);
		if (ferror(f))
			err = -EIO;
		if (len < cap || err)
			break;
		if (cap >= max) {
			err = -EFBIG;
			break;
		}
		cap *= 2;
	}
	fclose(f);
	if (err) {
		free(buf);
		return err;
	}
	buf[len] = '\0';
	*ret = buf;
	*ret_len = len;
	return 0;
}

#define CONFIG_FILE_MAX (4u << 20)

/* Names of zones mean something on this host only. */
static int config_zone(const char *file, struct config *c)
{
	struct business_hours *h = &c->hours;
	int r = h->zone_line ? zone_from_file(h->zone_name, &h->zone) : 0;

	if (r == -ENOENT && zone_parse(span_of(h->zone_name), &h->zone))
		return 0; /* a rule of POSIX, as TZ has it */
	if (r == -ENOENT)
		return command_fail(EXIT_INPUT,
				    "%s:%u: BusinessHours.timezone: no zone '%s' on this host",
				    file, h->zone_line, h->zone_name);
	if (r)
		return command_fail(EXIT_INPUT, "%s:%u: BusinessHours.timezone: '%s': %s", file,
				    h->zone_line, h->zone_name, strerror(-r));
	return 0;
}

int command_config(const char *path, struct config *ret)
{
	const char *name = path ? path : COMMAND_CONFIG_PATH;
	char err[CONFIG_ERROR_MAX];
	size_t len = 0;
	char *text = NULL;
	int r = command_read_file(name, CONFIG_FILE_MAX, &text, &len);

	if (r == -ENOENT && !path) {
		config_defaults(ret);
		return 0;
	}
	if (r)
		return command_fail(EXIT_INPUT, "%s: %s", name, strerror(-r));
	r = config_parse(text, len, name, ret, err);
	free(text);
	if (r)
		return command_fail(EXIT_INPUT, "%s", err);
	r = config_zone(name, ret);
	return r ? r : range_files_read(name, ret);
}
