/*
 * fuzz_config: any bytes as a configuration and as an address.
 *
 * Beyond memory errors it holds the parser to its word: a failure is one printable sentence with
 * file and line and changes nothing; a success is within every bound and the same when repeated.
 */
#include <stdio.h>
#include "fuzz.h"

#include "common/config.h"

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "not so: %s\n", #what);                                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct config first, second;

static void check_bounds(const struct config *c)
{
	MUST(c->failed_logon_threshold >= 1 && c->time_window_s >= 1);
	MUST(c->known_count <= CONFIG_KNOWN_MAX && c->clients_count <= CONFIG_CLIENTS_MAX);
	MUST(c->onward_count <= CONFIG_ONWARD_MAX && c->files_count <= CONFIG_FILES_MAX);
	MUST(c->shared_accounts_count <= CONFIG_NAMES_MAX);
	MUST(c->expected_automation_count <= CONFIG_NAMES_MAX);
	MUST(c->critical_hosts_count <= CONFIG_NAMES_MAX);
	MUST(c->watch_ports_count <= CONFIG_PORTS_MAX);
	MUST(c->exceptions_count <= CONFIG_EXCEPTIONS_MAX);
	MUST(c->scope.count <= SCOPE_OVERRIDES_MAX);
	MUST(memchr(c->store, '\0', CONFIG_PATH_MAX) && memchr(c->runtime, '\0', CONFIG_PATH_MAX));
	for (unsigned i = 0; i < c->exceptions_count; i++) {
		const struct config_exception *x = &c->exceptions[i];

		MUST(x->detection < DETECTION_COUNT && x->reason[0]);
		MUST(x->has_origin || x->account[0] || x->key[0] || x->service != SERVICE_NONE);
	}
}

static void check_config(const char *text, size_t size)
{
	char err[CONFIG_ERROR_MAX];
	int result;

	memset(&first, 0x5a, sizeof(first));
	memset(&second, 0x5a, sizeof(second));
	result = config_parse(text, size, "t", &first, err);
	if (result) {
		MUST(!memcmp(&first, &second, sizeof(first)));
		MUST(!memcmp(err, "t:", 2) && err[2] >= '1' && err[2] <= '9');
		for (const char *p = err; *p; p++)
			MUST(*p >= ' ' && *p <= '~');
		return;
	}
	check_bounds(&first);
	MUST(!config_parse(text, size, "t", &second, err));
	MUST(!memcmp(&first, &second, sizeof(first)));
}

static void check_addr(struct span text)
{
	char buf[ADDR_TEXT_MAX];
	struct addr a, b;
	struct cidr c;
	uint16_t port;

	if (addr_parse(text, &a, &port)) {
		MUST(addr_parse(span_of(addr_format(&a, buf)), &b, NULL));
		MUST(!memcmp(&a, &b, sizeof(a)));
		MUST((scope_of(&a, NULL) == SCOPE_NONE) == (a.family == ADDR_NONE));
	}
	if (cidr_parse(text, &c)) {
		MUST(cidr_has(&c, &c.addr));
		MUST(c.bits <= (c.addr.family == ADDR_V4 ? 32 : 128));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};

	check_config(text.ptr, size);
	if (size <= ADDR_TEXT_MAX)
		check_addr(text);
	return 0;
}
