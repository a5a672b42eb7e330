/*
 * daemons: command lines of VNC servers, container engines and cluster nodes, and the settings
 * files of the latter two. Command lines are what the process says of itself, at most their first
 * kilobytes.
 *
 * Cannot see: what a VNC server was told by ~/.x11vncrc, or over its own control channel.
 *
 * Example: "Xtigervnc :5 -rfbport 5905 -SecurityTypes None": nobody is asked for a password.
 */
#include "daemons.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#define SAY(x, a, ...)                                                                             \
	do {                                                                                       \
		(x)->auth = (a);                                                                   \
		snprintf((x)->words, sizeof((x)->words), __VA_ARGS__);                             \
	} while (0)

static bool is_folded(struct span s, const char *word)
{
	return s.len == strlen(word) && span_has_folded(s, span_of(word));
}

/*
 * The value of the last "-name VALUE", "-name=VALUE" or "name=VALUE", with any number of dashes and
 * in any case; false: not there. A value that is not there is empty.
 */
static bool option(struct span args, const char *name, struct span *ret)
{
	size_t n = strlen(name);
	struct span word;
	bool found = false;

	while (span_cut_arg(&args, &word)) {
		bool dash = !span_empty(word) && word.ptr[0] == '-';

		while (!span_empty(word) && word.ptr[0] == '-')
			word = span_skip(word, 1);
		if (word.len < n || !is_folded(span_first(word, n), name))
			continue;
		if (word.len > n && word.ptr[n] == '=') {
			*ret = span_skip(word, n + 1);
			found = true;
		} else if (word.len == n && dash) {
			struct span next = args;

			if (!span_cut_arg(&next, ret))
				*ret = (struct span){0};
			found = true;
		}
	}
	return found;
}

/* A switch: there and not "=false". */
static bool is_on(struct span args, const char *name)
{
	struct span value;
	bool found = option(args, name, &value);

	return found && !is_folded(value, "false") && !is_folded(value, "0");
}

/* "TLSVnc,None": one of them that asks for nothing. */
static bool lists_none(struct span types)
{
	static const char *const none[] = {"none", "tlsnone", "x509none"};

	while (!span_empty(types)) {
		size_t end = 0;

		while (end < types.len && types.ptr[end] != ',')
			end++;
		for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
			if (is_folded(span_first(types, end), none[i]))
				return true;
		types = span_skip(types, end + 1);
	}
	return false;
}

static bool has_any(struct span args, const char *const *names, size_t n)
{
	struct span value;

	for (size_t i = 0; i < n; i++)
		if (option(args, names[i], &value))
			return true;
	return false;
}

static void x11vnc(struct exposure *x, struct span args)
{
	static const char *const asks[] = {"rfbauth",  "passwd",     "passwdfile", "usepw",
					   "unixpw",   "unixpw_nis", "users",	   "sslverify",
					   "http_ssl", "unixpw_cmd"};

	if (option(args, "nopw", &(struct span){0}) ||
	    !has_any(args, asks, sizeof(asks) / sizeof(asks[0])))
		SAY(x, EXPOSED_NONE, "nothing: no password is set on its command line");
	else
		SAY(x, EXPOSED_WEAK, "a password that all share%s",
		    option(args, "ssl", &(struct span){0}) ? ", inside TLS" : ", without TLS");
}

void exposure_vnc(struct exposure *x, struct span args)
{
	static const char *const files[] = {"rfbauth", "PasswordFile", "Password"};
	struct span base = span_base(span_of(x->path[0] ? x->path : x->name)), types;
	bool has_file = has_any(args, files, sizeof(files) / sizeof(files[0]));

	if (span_empty(args)) {
		SAY(x, EXPOSED_UNKNOWN, "not known: its command line cannot be read");
	} else if (span_is(base, "x11vnc")) {
		x11vnc(x, args);
	} else if (option(args, "SecurityTypes", &types)) {
		if (lists_none(types))
			SAY(x, EXPOSED_NONE, "nothing: SecurityTypes has None");
		else if (span_has_folded(types, SPAN_LIT("plain")) ||
			 span_has_folded(types, SPAN_LIT("x509")))
			SAY(x, EXPOSED_WEAK, "a password, inside TLS");
		else
			SAY(x, EXPOSED_WEAK, "a password that all share%s",
			    span_has_folded(types, SPAN_LIT("tls")) ? ", with or without TLS"
								    : ", without TLS");
	} else if (has_file) {
		SAY(x, EXPOSED_WEAK, "a password that all share");
	} else if (span_has(base, SPAN_LIT("tiger"))) {
		/* Its own default wants a password, and there is none to be right. */
		SAY(x, EXPOSED_WEAK, "a password, and none is set: nobody gets in");
	} else if (span_has(base, SPAN_LIT("vnc"))) {
		SAY(x, EXPOSED_NONE, "nothing: no -rfbauth on its command line");
	} else {
		SAY(x, EXPOSED_UNKNOWN, "not known: another program than a VNC server listens");
	}
}

bool docker_settings_read(struct docker_settings *s, struct span json)
{
	json_error_t error;
	json_t *o = json_loadb(json.ptr ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES, &error);

	*s = (struct docker_settings){.verifies = json_is_true(json_object_get(o, "tlsverify"))};
	json_decref(o);
	return o != NULL;
}

void exposure_docker(struct exposure *x, struct span args, const struct exposure_reader *r)
{
	struct docker_settings s = {0};
	struct span file = {0};
	char name[EXPOSURE_PATH], *text = NULL;
	size_t len = 0;
	bool named = option(args, "config-file", &file) && span_copy(name, sizeof(name), file),
	     sound = true;
	int err;

	if (is_on(args, "tlsverify")) {
		SAY(x, EXPOSED_STRONG, "a certificate of each client (--tlsverify)");
		return;
	}
	err = r->read(r->arg, named ? SETTINGS_NAMED : SETTINGS_DOCKER, named ? name : "", &text,
		      &len);
	if (!err)
		sound = docker_settings_read(&s, (struct span){text, len});
	free(text);
	if (s.verifies)
		SAY(x, EXPOSED_STRONG, "a certificate of each client (tlsverify in daemon.json)");
	else if (span_empty(args) || (err && err != -ENOENT) || !sound)
		SAY(x, EXPOSED_UNKNOWN, "not known: its settings cannot be read");
	else
		SAY(x, EXPOSED_NONE,
		    "nothing: its API is on TCP without tlsverify; whoever "
		    "reaches it is root here");
}

/* Which map the keys of this depth are in, of those that matter. */
struct place {
	unsigned depth, lists;
	char above[2][32]; /* keys that lead here, by depth */
	char key[32];
	bool has_key;
};

static void kubelet_value(struct kubelet_settings *s, const struct place *p, struct span v)
{
	uint64_t n;

	if (p->lists)
		return;
	if (p->depth == 1 && !strcmp(p->key, "readOnlyPort") && span_u64(v, &n) && n <= UINT16_MAX)
		s->read_only_port = (uint16_t)n;
	if (p->depth == 2 && !strcmp(p->above[0], "authorization") && !strcmp(p->key, "mode"))
		(void)span_copy(s->mode, sizeof(s->mode), v);
	if (p->depth == 3 && !strcmp(p->above[0], "authentication") &&
	    !strcmp(p->above[1], "anonymous") && !strcmp(p->key, "enabled"))
		s->anonymous = span_is(v, "true");
}

static void kubelet_event(struct kubelet_settings *s, struct place *p, const yaml_event_t *e)
{
	struct span v;

	switch (e->type) {
	case YAML_MAPPING_START_EVENT:
		if (p->depth >= 1 && p->depth <= 2)
			memcpy(p->above[p->depth - 1], p->key, sizeof(p->key));
		p->depth++;
		p->has_key = false;
		break;
	case YAML_MAPPING_END_EVENT:
		p->depth--;
		p->has_key = false;
		break;
	case YAML_SEQUENCE_START_EVENT:
		p->lists++;
		break;
	case YAML_SEQUENCE_END_EVENT:
		p->lists--;
		p->has_key = p->lists ? p->has_key : false;
		break;
	case YAML_SCALAR_EVENT:
		v = (struct span){(const char *)e->data.scalar.value, e->data.scalar.length};
		if (p->lists)
			break;
		if (p->has_key)
			kubelet_value(s, p, v);
		else
			(void)span_copy(p->key, sizeof(p->key), v);
		p->has_key = !p->has_key;
		break;
	default:
		break;
	}
}

bool kubelet_settings_read(struct kubelet_settings *s, struct span yaml)
{
	struct place p = {0};
	yaml_parser_t parser;
	yaml_event_t e;
	bool sound = true, end = false;

	*s = (struct kubelet_settings){.anonymous = -1};
	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, (const unsigned char *)(yaml.ptr ? yaml.ptr : ""),
				     yaml.len);
	while (sound && !end) {
		sound = yaml_parser_parse(&parser, &e);
		if (!sound)
			break;
		kubelet_event(s, &p, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return sound;
}

/* Flags come before the file; without a file anonymous requests and all of them are allowed. */
static void kubelet_judge(struct exposure *x, struct span args, const struct kubelet_settings *s,
			  bool has_file)
{
	struct span value, mode = span_of(s->mode[0] ? s->mode
					  : has_file ? "Webhook"
						     : "AlwaysAllow");
	bool anonymous = s->anonymous < 0 ? !has_file : s->anonymous;
	uint64_t port = s->read_only_port;

	if (option(args, "anonymous-auth", &value))
		anonymous = !is_folded(value, "false");
	(void)option(args, "authorization-mode", &mode);
	if (option(args, "read-only-port", &value) && !span_u64(value, &port))
		port = 0;
	else if (!has_file && !option(args, "read-only-port", &value))
		port = 10255;
	if (port && x->at.port == port)
		SAY(x, EXPOSED_NONE, "nothing: its read-only port tells pods and their settings");
	else if (anonymous && is_folded(mode, "AlwaysAllow"))
		SAY(x, EXPOSED_NONE, "nothing: anonymous requests are let in and may do all");
	else if (anonymous)
		SAY(x, EXPOSED_WEAK,
		    "anonymous requests are let in, as far as the cluster's rules "
		    "allow");
	else
		SAY(x, EXPOSED_STRONG, "a certificate or token");
}

void exposure_kubelet(struct exposure *x, struct span args, const struct exposure_reader *r)
{
	struct kubelet_settings s = {.anonymous = -1};
	char name[EXPOSURE_PATH], *text = NULL;
	size_t len = 0;
	struct span file = {0};
	bool named = option(args, "config", &file) && !span_empty(file), sound = true;
	int err = 0;

	if (span_empty(args)) {
		SAY(x, EXPOSED_UNKNOWN, "not known: its command line cannot be read");
		return;
	}
	if (named && span_copy(name, sizeof(name), file))
		err = r->read(r->arg,
			      span_is(file, "/var/lib/kubelet/config.yaml") ? SETTINGS_KUBELET
									    : SETTINGS_NAMED,
			      name, &text, &len);
	else if (named)
		err = -ENAMETOOLONG;
	if (named && !err)
		sound = kubelet_settings_read(&s, (struct span){text, len});
	free(text);
	if (err || !sound)
		SAY(x, EXPOSED_UNKNOWN, "not known: its settings cannot be read");
	else
		kubelet_judge(x, args, &s, named);
}

void exposure_kube_api(struct exposure *x, struct span args)
{
	struct span value;
	uint64_t port;

	if (option(args, "insecure-port", &value) && span_u64(value, &port) && port &&
	    port == x->at.port)
		SAY(x, EXPOSED_NONE, "nothing: it is the insecure port");
	else if (option(args, "anonymous-auth", &value) && is_folded(value, "false"))
		SAY(x, EXPOSED_STRONG, "a certificate or token");
	else if (option(args, "authorization-mode", &value) &&
		 !span_has_folded(value, SPAN_LIT("AlwaysAllow")))
		SAY(x, EXPOSED_STRONG,
		    "a certificate or token; anonymous requests as far as the "
		    "cluster's rules allow");
	else if (option(args, "authorization-mode", &value))
		SAY(x, EXPOSED_NONE, "nothing: anonymous requests are let in and may do all");
	else
		SAY(x, EXPOSED_UNKNOWN, "not known: who may do what is not on its command line");
}

void exposure_dropbear(struct exposure *x, struct span args)
{
	struct span word;
	bool passwords = true, root = true;

	if (span_empty(args)) {
		SAY(x, EXPOSED_UNKNOWN, "not known: its command line cannot be read");
		return;
	}
	while (span_cut_arg(&args, &word)) {
		passwords = passwords && !span_is(word, "-s");
		root = root && !span_is(word, "-w") && !span_is(word, "-g");
	}
	SAY(x, passwords ? EXPOSED_WEAK : EXPOSED_STRONG, "%s; root %s",
	    passwords ? "passwords, keys" : "keys",
	    passwords && root ? "may log in" : "by key only, or not");
}
