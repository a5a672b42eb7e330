/* sources: every log source the decoders know, with an example of each. */
#include "cli/command.h"

#include "cli/input.h"
#include "common/out/writer.h"

#include <stdio.h>
#include <string.h>

#define SOURCE_TEXT_MAX 4096

static void print_json(const struct decoder *d)
{
	char buf[SOURCE_TEXT_MAX];
	struct writer w;

	writer_start(&w, buf, sizeof(buf));
	json_begin(&w, NULL, '{');
	json_put_str(&w, "name", d->name);
	json_put_str(&w, "about", d->about);
	json_put_str(&w, "example", d->example);
	json_end(&w, '}');
	if (writer_finish_json(&w) > 0)
		puts(buf);
}

static void print_text(const struct decoder *d)
{
	printf("%-14s%s\n%-14s%s\n", d->name, d->about, "", d->example);
}

static int run(const struct command *self, int argc, char **argv)
{
	bool json = false;

	for (int i = 1; i < argc; i++) {
		const char *v = option_value("--format", argc, argv, &i);

		if (!v || (strcmp(v, "json") != 0 && strcmp(v, "text") != 0))
			return command_usage(self, v ? "--format is json or text"
						     : "takes no arguments but --format");
		json = !strcmp(v, "json");
	}
	for (int i = 0; i < DECODER_COUNT; i++)
		if (json)
			print_json(decoders[i]);
		else
			print_text(decoders[i]);
	return EXIT_FINE;
}

const struct command command_sources = {
	.name = "sources",
	.usage = "[--format json|text]",
	.about = "every log source that can be read, with an example",
	.help = "  --format json   one object a line instead of a table\n",
	.run = run,
};
