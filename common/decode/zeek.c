/*
 * zeek: Zeek's ssh.log, rdp.log, rfb.log, ntlm.log, kerberos.log and conn.log, tab-separated (the
 * columns are those of "#fields", which is kept in the stream) or JSON (by "_path" where a writer
 * adds it, else by the members that a log alone has).
 *
 * Sees whether a login went well where Zeek says so: auth_success of ssh.log (Zeek infers it from
 * the sizes of packets; unset is no verdict), auth of rfb.log (and a desktop that was shown without
 * a password), success of ntlm.log, a Kerberos password that was wrong. The client's program or
 * name and RDP's cookie, which is a user name of nine characters at most, are notes; RDP's result
 * is about the connection and no verdict. conn.log tells when a connection of a remote service
 * ended, with its bytes. Connections that went out (direction OUTBOUND, local_orig) are left out.
 *
 * Cannot see: who logs in by SSH or VNC; a log that is read from its middle, before a "#fields".
 *
 * Sources: Zeek, scripts/base/protocols/{ssh,rdp,rfb,ntlm,krb,conn}/main.zeek, krb/consts.zeek,
 * base/frameworks/logging/writers/ascii.zeek.
 *
 * Example: {"ts":1591367999.3,"uid":"C1","id.orig_h":"203.0.113.10",...,"auth_success":false,...}
 */
#include "zeek.h"

#include "gateway.h"
#include "netsensor.h"

enum column {
	COLUMN_OTHER,
	COLUMN_PATH,
	COLUMN_TS,
	COLUMN_UID,
	COLUMN_ORIG,
	COLUMN_ORIG_PORT,
	COLUMN_RESP,
	COLUMN_RESP_PORT,
	COLUMN_AUTH_SUCCESS,
	COLUMN_AUTH_ATTEMPTS,
	COLUMN_DIRECTION,
	COLUMN_CLIENT,
	COLUMN_COOKIE,
	COLUMN_CLIENT_NAME,
	COLUMN_CERT_COUNT,
	COLUMN_RFB_METHOD,
	COLUMN_RFB_CLIENT,
	COLUMN_AUTH,
	COLUMN_WIDTH,
	COLUMN_USERNAME,
	COLUMN_HOSTNAME,
	COLUMN_DOMAIN,
	COLUMN_SERVER_NAME,
	COLUMN_SUCCESS,
	COLUMN_REQUEST,
	COLUMN_ERROR,
	COLUMN_SERVICE,
	COLUMN_STATE,
	COLUMN_DURATION,
	COLUMN_ORIG_BYTES,
	COLUMN_RESP_BYTES,
	COLUMN_LOCAL_ORIG,
	COLUMN_LOCAL_RESP,
	COLUMNS
};

static const char *const names[COLUMNS] = {
	[COLUMN_PATH] = "_path",
	[COLUMN_TS] = "ts",
	[COLUMN_UID] = "uid",
	[COLUMN_ORIG] = "id.orig_h",
	[COLUMN_ORIG_PORT] = "id.orig_p",
	[COLUMN_RESP] = "id.resp_h",
	[COLUMN_RESP_PORT] = "id.resp_p",
	[COLUMN_AUTH_SUCCESS] = "auth_success",
	[COLUMN_AUTH_ATTEMPTS] = "auth_attempts",
	[COLUMN_DIRECTION] = "direction",
	[COLUMN_CLIENT] = "client",
	[COLUMN_COOKIE] = "cookie",
	[COLUMN_CLIENT_NAME] = "client_name",
	[COLUMN_CERT_COUNT] = "cert_count",
	[COLUMN_RFB_METHOD] = "authentication_method",
	[COLUMN_RFB_CLIENT] = "client_major_version",
	[COLUMN_AUTH] = "auth",
	[COLUMN_WIDTH] = "width",
	[COLUMN_USERNAME] = "username",
	[COLUMN_HOSTNAME] = "hostname",
	[COLUMN_DOMAIN] = "domainname",
	[COLUMN_SERVER_NAME] = "server_nb_computer_name",
	[COLUMN_SUCCESS] = "success",
	[COLUMN_REQUEST] = "request_type",
	[COLUMN_ERROR] = "error_msg",
	[COLUMN_SERVICE] = "service",
	[COLUMN_STATE] = "conn_state",
	[COLUMN_DURATION] = "duration",
	[COLUMN_ORIG_BYTES] = "orig_bytes",
	[COLUMN_RESP_BYTES] = "resp_bytes",
	[COLUMN_LOCAL_ORIG] = "local_orig",
	[COLUMN_LOCAL_RESP] = "local_resp",
};

struct record {
	struct span value[COLUMNS];
};

static enum column column_of(struct span name)
{
	for (unsigned i = 1; i < COLUMNS; i++)
		if (span_is(name, names[i]))
			return (enum column)i;
	return COLUMN_OTHER;
}

static bool has(const struct record *r, enum column c)
{
	return !span_empty(r->value[c]);
}

/* JSON says true, the other form T. */
static enum outcome verdict_of(struct span s)
{
	if (span_is(s, "T") || span_is(s, "true"))
		return OUTCOME_SUCCESS;
	return span_is(s, "F") || span_is(s, "false") ? OUTCOME_FAILURE : OUTCOME_UNKNOWN;
}

static bool read_ssh(const struct record *r, struct event *e, const char **reason)
{
	enum outcome o = verdict_of(r->value[COLUMN_AUTH_SUCCESS]);

	*reason = "an SSH connection that went out";
	e->service = SERVICE_SSH;
	e->client = r->value[COLUMN_CLIENT];
	if (o == OUTCOME_UNKNOWN)
		return !span_is(r->value[COLUMN_DIRECTION], "OUTBOUND");
	netsensor_verdict(e, o);
	e->method = METHOD_NONE; /* which one, nobody sees */
	return !span_is(r->value[COLUMN_DIRECTION], "OUTBOUND");
}

static bool read_rdp(const struct record *r, struct event *e, const char **reason)
{
	*reason = "an RDP connection of which neither a name nor a client is told";
	e->service = SERVICE_RDP;
	e->account = r->value[COLUMN_COOKIE];
	e->client = r->value[COLUMN_CLIENT_NAME];
	return !span_empty(e->account) || !span_empty(e->client);
}

static bool read_rfb(const struct record *r, struct event *e, const char **reason)
{
	enum outcome o = verdict_of(r->value[COLUMN_AUTH]);

	*reason = "a VNC connection of which no verdict is told";
	e->service = SERVICE_VNC;
	/* Without a password there is a result since version 3.8 only; the screen is always told.
	 */
	if (span_is(r->value[COLUMN_RFB_METHOD], "None")) {
		netsensor_verdict(e, OUTCOME_SUCCESS);
		e->method = METHOD_NO_AUTH;
		return has(r, COLUMN_WIDTH);
	}
	netsensor_verdict(e, o);
	return o != OUTCOME_UNKNOWN;
}

static bool read_ntlm(const struct record *r, struct event *e, const char **reason)
{
	enum outcome o = verdict_of(r->value[COLUMN_SUCCESS]);

	*reason = "NTLM without a name or a verdict";
	e->service = netsensor_by_port(e->local.port);
	e->account = r->value[COLUMN_USERNAME];
	e->client = r->value[COLUMN_HOSTNAME];
	netsensor_verdict(e, o);
	return o != OUTCOME_UNKNOWN && !span_empty(e->account);
}

static bool read_kerberos(const struct record *r, struct event *e, const char **reason)
{
	struct span error = r->value[COLUMN_ERROR];
	bool nobody = span_is(error, "KDC_ERR_C_PRINCIPAL_UNKNOWN");
	bool wrong = nobody || span_is(error, "KDC_ERR_PREAUTH_FAILED");

	*reason = "Kerberos, and no password that was wrong";
	netsensor_kerberos(e, r->value[COLUMN_CLIENT], wrong ? OUTCOME_FAILURE : OUTCOME_UNKNOWN);
	if (nobody)
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	return wrong && !span_empty(e->account);
}

/* Of "gssapi,ntlm,smb" the one that is told of. */
static enum service service_in(struct span list)
{
	enum service service = SERVICE_NONE;

	while (list.len && service == SERVICE_NONE) {
		size_t comma = text_find(list, SPAN_LIT(","), 0);

		service = netsensor_by_name(span_first(list, comma));
		list = comma == TEXT_NOT_FOUND ? text_none() : span_skip(list, comma + 1);
	}
	return service;
}

/* "12.345678" seconds. */
static uint64_t duration_ns(struct span s)
{
	size_t dot = text_find(s, SPAN_LIT("."), 0);
	struct span part = dot == TEXT_NOT_FOUND ? text_none() : span_skip(s, dot + 1);
	uint64_t whole = gateway_count(span_first(s, dot)), scale = 100000000, ns = 0;

	for (size_t i = 0; i < part.len && scale && text_is_digit(part.ptr[i]); i++) {
		ns += (uint64_t)(part.ptr[i] - '0') * scale;
		scale /= 10;
	}
	return whole > UINT32_MAX ? 0 : whole * 1000000000 + ns;
}

static bool read_conn(const struct record *r, struct event *e, const char **reason)
{
	static const char *const established[] = {"SF", "S1", "S2", "S3", "RSTO", "RSTR"};
	bool is_open = false;

	for (size_t i = 0; i < sizeof(established) / sizeof(established[0]); i++)
		is_open |= span_is(r->value[COLUMN_STATE], established[i]);
	*reason = "no connection of a remote service to this side";
	e->kind = EVENT_CONNECTION_CLOSE;
	e->service = service_in(r->value[COLUMN_SERVICE]);
	e->opened_ns = e->time_ns;
	e->time_ns += duration_ns(r->value[COLUMN_DURATION]);
	e->bytes_in = gateway_count(r->value[COLUMN_ORIG_BYTES]);
	e->bytes_out = gateway_count(r->value[COLUMN_RESP_BYTES]);
	return is_open && e->service != SERVICE_NONE &&
	       (verdict_of(r->value[COLUMN_LOCAL_ORIG]) != OUTCOME_SUCCESS ||
		verdict_of(r->value[COLUMN_LOCAL_RESP]) == OUTCOME_SUCCESS);
}

typedef bool (*reader)(const struct record *r, struct event *e, const char **reason);

static const struct log {
	const char *path;
	reader read;
} logs[] = {
	{"other", NULL},     {"ssh", read_ssh},		  {"rdp", read_rdp},   {"rfb", read_rfb},
	{"ntlm", read_ntlm}, {"kerberos", read_kerberos}, {"conn", read_conn},
};

static uint8_t log_of(struct span path)
{
	for (size_t i = 1; i < sizeof(logs) / sizeof(logs[0]); i++)
		if (span_is(path, logs[i].path))
			return (uint8_t)i;
	return 0;
}

/* By what this log alone has; http.log, say, has a username, too. */
static uint8_t log_by_members(const struct record *r)
{
	if (has(r, COLUMN_AUTH_ATTEMPTS))
		return log_of(SPAN_LIT("ssh"));
	if (has(r, COLUMN_CERT_COUNT))
		return log_of(SPAN_LIT("rdp"));
	if (has(r, COLUMN_RFB_CLIENT) || has(r, COLUMN_RFB_METHOD))
		return log_of(SPAN_LIT("rfb"));
	if (has(r, COLUMN_STATE))
		return log_of(SPAN_LIT("conn"));
	if (has(r, COLUMN_REQUEST) || has(r, COLUMN_ERROR))
		return log_of(SPAN_LIT("kerberos"));
	if (has(r, COLUMN_HOSTNAME) || has(r, COLUMN_DOMAIN) || has(r, COLUMN_SERVER_NAME))
		return log_of(SPAN_LIT("ntlm"));
	return 0;
}

static enum decode_result read_record(struct decode_stream *s, const struct record *r, uint8_t log,
				      struct event *e, const char **reason)
{
	const struct netsensor_ends ends = {r->value[COLUMN_ORIG], r->value[COLUMN_ORIG_PORT],
					    r->value[COLUMN_RESP], r->value[COLUMN_RESP_PORT]};
	uint64_t ns = netsensor_time(r->value[COLUMN_TS]);

	*reason = "a log of Zeek's that tells of no remote service";
	if (!log)
		return DECODE_SKIPPED;
	*reason = "a line of Zeek's without two addresses and their ports";
	if (!netsensor_event(s, &ends, ns, e))
		return DECODE_BAD;
	if (ns)
		s->seen_ns = ns;
	return logs[log].read(r, e, reason) ? DECODE_EVENT : DECODE_SKIPPED;
}

static bool cut_column(struct span *rest, struct span *ret)
{
	size_t n = 0;

	if (!rest->len)
		return false;
	while (n < rest->len && rest->ptr[n] != '\t')
		n++;
	*ret = span_first(*rest, n);
	*rest = span_skip(*rest, n < rest->len ? n + 1 : n);
	return true;
}

bool zeek_is(const struct decode_stream *s, struct span line)
{
	static const struct span header[] = {
		SPAN_LIT("#separator "),  SPAN_LIT("#set_separator\t"), SPAN_LIT("#empty_field"),
		SPAN_LIT("#unset_field"), SPAN_LIT("#path\t"),		SPAN_LIT("#open\t"),
		SPAN_LIT("#fields\t"),	  SPAN_LIT("#types\t"),		SPAN_LIT("#close\t")};

	for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++)
		if (span_starts(line, header[i]))
			return true;
	return s->zeek.count && line.len && text_is_digit(line.ptr[0]) &&
	       text_find(span_first(line, 32), SPAN_LIT("\t"), 0) != TEXT_NOT_FOUND;
}

static void read_fields(struct zeek_columns *c, struct span rest)
{
	struct span name;

	c->count = 0;
	while (c->count < ZEEK_COLUMNS_MAX && cut_column(&rest, &name))
		c->column[c->count++] = (uint8_t)column_of(name);
}

static enum decode_result read_header(struct decode_stream *s, struct span line,
				      const char **reason)
{
	*reason = "what the lines after it hold";
	if (text_cut(&line, SPAN_LIT("#path\t"))) {
		s->zeek.log = log_of(line);
		s->zeek.count = 0;
	} else if (text_cut(&line, SPAN_LIT("#fields\t"))) {
		read_fields(&s->zeek, line);
	}
	return DECODE_SKIPPED;
}

static unsigned hex(char c)
{
	if (text_is_digit(c))
		return (unsigned)(c - '0');
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

/* "\x09" and the like, into the scratch. */
static struct span unescaped(struct json *out, struct span s)
{
	const char *begin = out->out;

	if (text_find(s, SPAN_LIT("\\x"), 0) == TEXT_NOT_FOUND)
		return s;
	for (size_t i = 0; i < s.len; i++) {
		bool is_hex = i + 3 < s.len && s.ptr[i] == '\\' && s.ptr[i + 1] == 'x' &&
			      hex(s.ptr[i + 2]) < 16 && hex(s.ptr[i + 3]) < 16;

		json_byte(out, is_hex ? hex(s.ptr[i + 2]) << 4 | hex(s.ptr[i + 3])
				      : (unsigned char)s.ptr[i]);
		i += is_hex ? 3 : 0;
	}
	return (struct span){begin, (size_t)(out->out - begin)};
}

enum decode_result zeek_read_line(struct decode_stream *s, struct span line, struct event *ret,
				  const char **reason)
{
	struct json scratch = {.out = s->scratch, .out_end = s->scratch + sizeof(s->scratch)};
	struct record r = {0};
	struct span value, text;
	unsigned i = 0;

	line = text_trim_right(line);
	text = line;
	if (line.ptr[0] == '#')
		return read_header(s, line, reason);
	for (; i < s->zeek.count && cut_column(&line, &value); i++)
		if (!span_is(value, "-") && !span_is(value, "(empty)"))
			r.value[s->zeek.column[i]] = unescaped(&scratch, value);
	*reason = "a line of Zeek's with fewer columns than its header";
	if (i < s->zeek.count)
		return DECODE_BAD;
	memset(ret, 0, sizeof(*ret));
	ret->source = DECODER_zeek;
	switch (read_record(s, &r, s->zeek.log, ret, reason)) {
	case DECODE_EVENT:
		ret->text = text;
		return DECODE_EVENT;
	case DECODE_BAD:
		return DECODE_BAD;
	default:
		return DECODE_SKIPPED;
	}
}

static void visit(void *arg, const struct json_path *p, struct span name, struct span value,
		  char type)
{
	struct record *r = arg;
	enum column c;

	if (p->depth != 1 || (type != '"' && type != 'w'))
		return;
	c = column_of(name);
	if (c != COLUMN_OTHER && !has(r, c))
		r->value[c] = value;
}

/* It has no objects in it that say something here. */
static bool enter(void *arg, const struct json_path *p, struct span name, char type)
{
	(void)arg, (void)name, (void)type;
	return p->depth == 0;
}

bool zeek_read(struct cloud_record *r)
{
	struct record x = {0};
	const char *wrong = json_walk(&r->j, (struct json_visitor){visit, &x, enter});

	if (!has(&x, COLUMN_UID) || !has(&x, COLUMN_ORIG) || !has(&x, COLUMN_TS))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	r->result = read_record(
		r->s, &x, has(&x, COLUMN_PATH) ? log_of(x.value[COLUMN_PATH]) : log_by_members(&x),
		r->e, &r->reason);
	r->e->text = r->line;
	return true;
}

const struct decoder decoder_zeek = {
	.name = "zeek",
	.about = "Zeek: ssh, rdp, rfb, ntlm, kerberos and conn logs, tab-separated or JSON",
	.example = "{\"ts\":1591367999.305988,\"uid\":\"CMdzit1AMNsmfAIiQc\",\"id.orig_h\":"
		   "\"203.0.113.10\",\"id.orig_p\":36844,\"id.resp_h\":\"192.0.2.1\",\"id.resp_p\":"
		   "22,\"version\":2,\"auth_success\":false,\"auth_attempts\":3,\"client\":"
		   "\"SSH-2.0-libssh2_1.8.0\",\"server\":\"SSH-2.0-OpenSSH_9.2p1\"}",
};
