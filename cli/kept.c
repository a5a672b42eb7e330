/* kept: see the header. */
#include "kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/plat.h"

#define NS_PER_S       1000000000ull
#define BYTES_A_SECOND (256u << 10)
#define SECONDS_MAX    30u

int kept_random(struct store *s, const char *name, void *to, size_t n)
{
	void *buf = NULL;
	size_t len = 0;
	int r = store_get_blob(s, name, &buf, &len);

	if (!r && len == n) {
		memcpy(to, buf, n);
		free(buf);
		return 0;
	}
	free(buf);
	if (r && r != -ENOENT)
		return r; /* it is there: another one would change every id and hash */
	r = plat_random(to, n);
	return r ? r : store_put_blob(s, name, to, n);
}

static bool restore_session(void *core, const struct session *s)
{
	return core_restore_session(core, s) != -ENOSPC;
}

static bool restore_alert(void *core, const struct alert *a)
{
	return core_restore_alert(core, a) != -ENOSPC;
}

int kept_restore(struct store *s, struct core *core, const struct config_limits *limits)
{
	struct store_filter live = {.live = true, .limit = limits->sessions};
	void *buf = NULL;
	size_t len = 0;
	int r = store_get_blob(s, KEPT_CORE, &buf, &len), sessions, alerts;

	if (r == -ENOENT)
		r = 0;
	else if (!r && core_import(core, buf, len))
		r = -EPROTO;
	free(buf);
	sessions = store_sessions(s, &live, restore_session, core);
	live.limit = limits->alerts;
	alerts = store_alerts(s, &live, restore_alert, core);
	if (sessions || alerts)
		return sessions ? sessions : alerts;
	return r;
}

int kept_memory(struct store *s, const struct core *core, size_t most, size_t *ret_size)
{
	size_t need = core_export(core, NULL, 0);
	void *buf = need <= most ? malloc(need ? need : 1) : NULL;
	int r;

	*ret_size = need;
	if (!buf)
		return 1;
	core_export(core, buf, need);
	r = store_put_blob(s, KEPT_CORE, buf, need);
	free(buf);
	return r;
}

uint64_t kept_interval(size_t bytes)
{
	uint64_t s = bytes / BYTES_A_SECOND;

	if (s < 1)
		s = 1;
	return (s < SECONDS_MAX ? s : SECONDS_MAX) * NS_PER_S;
}
