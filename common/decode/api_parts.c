/*
 * api_parts: see the header.
 *
 * Cannot see: what a directory of the host holds, or where a link in it leads.
 *
 * Example: api_mount("/run/../run/docker.sock") is RISK_ENGINE_SOCKET.
 */
#include "api_parts.h"

#include "text.h"

struct json api_body(struct api_words *w, const struct event *e)
{
	return (struct json){.p = e->text.ptr,
			     .end = span_skip(e->text, e->text.len).ptr,
			     .out = w->text,
			     .out_end = w->text + sizeof(w->text)};
}

static int hex_of(char c)
{
	if (text_is_digit(c))
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct span api_unquoted(struct json *j, struct span s, bool plus)
{
	char *start = j->out;

	if (!s.len || (!memchr(s.ptr, '%', s.len) && !(plus && memchr(s.ptr, '+', s.len))))
		return s;
	for (size_t i = 0; i < s.len; i++) {
		int high = s.ptr[i] == '%' && i + 2 < s.len ? hex_of(s.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex_of(s.ptr[i + 2]) : -1;

		if (low >= 0) {
			json_byte(j, (unsigned)(high << 4 | low));
			i += 2;
		} else {
			json_byte(j, plus && s.ptr[i] == '+' ? ' ' : (unsigned char)s.ptr[i]);
		}
	}
	return (struct span){start, (size_t)(j->out - start)};
}

static struct span cut_at(struct span *s, char c)
{
	const char *at = s->len ? memchr(s->ptr, c, s->len) : NULL;
	struct span before = at ? span_first(*s, (size_t)(at - s->ptr)) : *s;

	*s = span_skip(*s, before.len + (at ? 1 : 0));
	return before;
}

/* RFC 9112, 3.2.2: a server takes "http://any/path", too. */
static void cut_authority(struct span *target)
{
	size_t at = target->len && target->ptr[0] != '/' ? text_find(*target, SPAN_LIT("://"), 0)
							 : TEXT_NOT_FOUND;

	if (at == TEXT_NOT_FOUND)
		return;
	*target = span_skip(*target, at + 3);
	while (target->len && target->ptr[0] != '/' && target->ptr[0] != '?')
		*target = span_skip(*target, 1);
}

void api_target_read(struct json *j, struct span target, struct api_target *ret)
{
	struct span path;

	*ret = (struct api_target){0};
	cut_authority(&target);
	path = cut_at(&target, '?');
	ret->query = target;
	path = api_unquoted(j, path, false);
	while (path.len && ret->count < API_PARTS_MAX) {
		struct span part = cut_at(&path, '/');

		if (part.len)
			ret->parts[ret->count++] = part;
	}
}

struct span api_part(const struct api_target *t, unsigned i)
{
	return i < t->count ? t->parts[i] : text_none();
}

bool api_part_is(const struct api_target *t, unsigned i, const char *text)
{
	return i < t->count && span_is(t->parts[i], text);
}

bool api_query_cut(struct json *j, struct span *query, struct span *name, struct span *value)
{
	while (query->len) {
		struct span pair = cut_at(query, '&');

		*name = api_unquoted(j, cut_at(&pair, '='), true);
		*value = api_unquoted(j, pair, true);
		if (name->len)
			return true;
	}
	return false;
}

struct span api_query(struct json *j, struct span query, const char *name)
{
	struct span got, value;
	char *out = j->out;

	while (api_query_cut(j, &query, &got, &value)) {
		if (span_is(got, name))
			return value;
		j->out = out; /* nobody wants that one */
	}
	return text_none();
}

void api_list_part(struct api_list *l, struct span s)
{
	size_t n = l->len < l->cap ? l->cap - l->len : 0;

	if (s.len > n)
		l->cut = true;
	n = s.len < n ? s.len : n;
	for (size_t i = 0; i < n; i++)
		l->at[l->len + i] = s.ptr[i] ? s.ptr[i] : '?';
	l->len += n;
}

void api_list_argument(struct api_list *l, struct span s)
{
	if (l->len + 1 >= l->cap) {
		l->cut = true;
		return;
	}
	l->cap--; /* the end has its place */
	api_list_part(l, s);
	l->cap++;
	l->at[l->len++] = '\0';
}

void api_list_word(struct api_list *l, struct span s)
{
	if (l->len)
		api_list_part(l, SPAN_LIT(", "));
	api_list_part(l, s);
}

struct span api_name(struct api_words *w, struct span ns, struct span name)
{
	struct api_list l = {.at = w->name, .cap = sizeof(w->name)};

	api_list_part(&l, ns);
	if (ns.len && name.len)
		api_list_part(&l, SPAN_LIT("/"));
	api_list_part(&l, name);
	return api_list_all(&l);
}

void api_risk(uint32_t *risks, struct api_list *detail, uint32_t risk, struct span as_written)
{
	*risks |= risk;
	api_list_word(detail, as_written);
}

bool api_is_one(struct span s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_is(s, names[i]))
			return true;
	return false;
}

/* Each is a known way to the host, or to other containers' memory and traffic. */
static const char *const outside_capabilities[] = {
	"ALL",	     "SYS_ADMIN",	"SYS_PTRACE",	  "SYS_MODULE",
	"SYS_RAWIO", "DAC_READ_SEARCH", "NET_ADMIN",	  "BPF",
	"PERFMON",   "SYS_BOOT",	"MAC_OVERRIDE",	  "MAC_ADMIN",
	"SYSLOG",    "SYS_TIME",	"SYS_TTY_CONFIG", "CHECKPOINT_RESTORE",
};

void api_capability(uint32_t *risks, struct api_list *detail, struct span name)
{
	char upper[32];
	struct span bare = {upper, name.len};

	if (name.len > sizeof(upper))
		return;
	for (size_t i = 0; i < name.len; i++)
		upper[i] = name.ptr[i] >= 'a' && name.ptr[i] <= 'z' ? (char)(name.ptr[i] - 32)
								    : name.ptr[i];
	(void)text_cut(&bare, SPAN_LIT("CAP_"));
	if (API_IS_ONE(bare, outside_capabilities))
		api_risk(risks, detail, RISK_CAPABILITY, name);
}

/* As filepath.Clean does it: "//", "." and ".." are gone. False: too long for one. */
static bool clean_path(struct span path, char *to, size_t cap, struct span *ret)
{
	size_t len = 0;

	while (path.len) {
		struct span part = cut_at(&path, '/');

		if (!part.len || span_is(part, "."))
			continue;
		if (span_is(part, "..")) {
			while (len && to[--len] != '/')
				;
			continue;
		}
		if (len + 1 + part.len > cap)
			return false;
		to[len++] = '/';
		memcpy(to + len, part.ptr, part.len);
		len += part.len;
	}
	if (!len)
		to[len++] = '/';
	*ret = (struct span){to, len};
	return true;
}

static const char *const engine_sockets[] = {
	"docker.sock",	   "containerd.sock",	    "crio.sock", "podman.sock", "cri-dockerd.sock",
	"dockershim.sock", "containerd.sock.ttrpc",
};
static const char *const socket_places[] = {
	"/run",		 "/var/run",	"/run/containerd", "/var/run/containerd", "/run/crio",
	"/var/run/crio", "/run/podman", "/var/run/podman", "/run/k3s/containerd", "/run/k3s",
};
static const char *const harmless_files[] = {"/etc/localtime", "/etc/timezone"};

void api_mount(uint32_t *risks, struct api_list *detail, struct span path, struct span as_written)
{
	char buf[512];
	struct span clean = path;
	size_t slash;

	if (!path.len || path.ptr[0] != '/')
		return;
	(void)clean_path(path, buf, sizeof(buf), &clean);
	slash = text_find_last(clean, SPAN_LIT("/"));
	if (API_IS_ONE(clean, harmless_files))
		return;
	if (API_IS_ONE(span_skip(clean, slash + 1), engine_sockets))
		api_risk(risks, detail, RISK_ENGINE_SOCKET, as_written);
	else
		api_risk(risks, detail,
			 API_IS_ONE(clean, socket_places) ? RISK_HOST_MOUNT | RISK_ENGINE_SOCKET
							  : RISK_HOST_MOUNT,
			 as_written);
}
