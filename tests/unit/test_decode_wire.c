/* decode_wire: every kind's fields, and every way a record can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/decode/decode.h"
#include "common/wire.h"

#define OFFSET INT64_C(1700000000000000000)

#define HDR(kind_, type)                                                                           \
	{                                                                                          \
		.kind = (kind_), .version = WIRE_VERSION, .size = sizeof(struct type), .time = 5   \
	}

static struct wire_conn conn_of(uint16_t lport)
{
	struct wire_conn c = {.cookie = 7, .netns = 3, .family = 2, .lport = lport, .rport = 40022};

	memcpy(c.laddr, "\xc0\x00\x02\x01", 4);
	memcpy(c.raddr, "\xcb\x00\x71\x07", 4);
	return c;
}

static struct wire_proc proc_of(const char *comm)
{
	struct wire_proc p = {.tgid = 100,
			      .ppid = 99,
			      .start = 1000,
			      .pstart = 900,
			      .uid = 1,
			      .euid = 2,
			      .loginuid = 1001,
			      .sessionid = 4,
			      .cgroup = 55};

	strncpy(p.comm, comm, sizeof(p.comm) - 1);
	return p;
}

static enum decode_result decode(const void *record, size_t len, struct event *e)
{
	struct decode_stream d = {.forced_source = -1, .boot_to_wall_ns = OFFSET};
	const char *reason = NULL;
	enum decode_result r;

	memset(e, 0xa5, sizeof(*e));
	r = decode_wire(&d, record, len, e, &reason);
	if (r == DECODE_EVENT) {
		assert_int_equal(e->trust, TRUST_KERNEL);
		assert_int_equal(e->witness, WITNESS_KERNEL);
		assert_int_equal(e->source, DECODER_wire);
		assert_int_equal(e->count, 1);
		assert_int_equal(e->line, 1);
		assert_true(e->boot_ns == 5 && e->time_ns == (uint64_t)OFFSET + 5);
	} else {
		assert_non_null(reason);
	}
	return r;
}

static void assert_endpoint(const struct endpoint *e, const char *text, unsigned port)
{
	char buf[ADDR_TEXT_MAX];

	assert_string_equal(addr_format(&e->addr, buf), text);
	assert_int_equal(e->port, port);
}

static void assert_conn(const struct event *e)
{
	assert_true(e->conn == 7);
	assert_int_equal(e->netns, 3);
	assert_endpoint(&e->origin, "203.0.113.7", 40022);
	assert_int_equal(e->local.addr.family, ADDR_V4);
}

static void assert_proc(const struct event *e)
{
	assert_int_equal(e->proc.pid, 100);
	assert_true(e->proc.start_ns == 1000);
	assert_int_equal(e->parent.pid, 99);
	assert_true(e->parent.start_ns == 900);
	assert_int_equal(e->uid, 1);
	assert_int_equal(e->euid, 2);
	assert_int_equal(e->loginuid, 1001);
	assert_int_equal(e->audit_session, 4);
	assert_true(e->cgroup == 55);
}

static void conn_records(void **state)
{
	struct wire_conn_open o = {.hdr = HDR(1, wire_conn_open), .conn = conn_of(22)};
	struct wire_conn_close c = {.hdr = HDR(2, wire_conn_close),
				    .conn = conn_of(8080),
				    .opened = 4,
				    .bytes_in = 10,
				    .bytes_out = 20,
				    .flags = WIRE_F_PROVEN,
				    .alive = 2};
	struct event e;

	(void)state;
	assert_int_equal(decode(&o, sizeof(o), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_CONNECTION);
	assert_int_equal(e.service, SERVICE_SSH);
	assert_conn(&e);
	assert_endpoint(&e.local, "192.0.2.1", 22);
	assert_int_equal(decode(&c, sizeof(c), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_CONNECTION_CLOSE);
	assert_int_equal(e.service, SERVICE_NONE);
	assert_int_equal(e.flags, EVENT_PROVEN);
	assert_true(e.opened_ns == (uint64_t)OFFSET + 4 && e.bytes_in == 10 && e.bytes_out == 20);
	assert_int_equal(e.alive, 2);
}

static void pam_record(void **state)
{
	struct wire_pam p = {.hdr = HDR(3, wire_pam),
			     .proc = proc_of("sshd-session"),
			     .conn = conn_of(2200),
			     .flags = WIRE_F_CHILD_CALL | WIRE_F_USER_EXEC,
			     .call = WIRE_PAM_AUTHENTICATE,
			     .ret = 7};
	struct event e;

	(void)state;
	memcpy(p.service, "sshd", 4);
	memset(p.user, 'a', sizeof(p.user)); /* fills the array: no NUL */
	memcpy(p.rhost, "x.example.org", 13);
	memcpy(p.tty, "ssh", 3);
	assert_int_equal(decode(&p, sizeof(p), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_PAM);
	assert_int_equal(e.service, SERVICE_SSH);
	assert_int_equal(e.pam_call, PAM_CALL_AUTHENTICATE);
	assert_int_equal(e.result, 7);
	assert_int_equal(e.account.len, sizeof(p.user));
	assert_true(span_is(e.pam_service, "sshd") && span_is(e.tty, "ssh"));
	assert_true(span_is(e.program, "sshd-session"));
	assert_int_equal(e.flags, EVENT_CHILD_CALL | EVENT_USER_EXEC);
	assert_conn(&e);
	assert_proc(&e);
	p.call = 6;
	assert_int_equal(decode(&p, sizeof(p), &e), DECODE_BAD);
	p.call = 0;
	assert_int_equal(decode(&p, sizeof(p), &e), DECODE_BAD);
}

static void process_records(void **state)
{
	struct wire_fork f = {.hdr = HDR(4, wire_fork), .proc = proc_of("sshd"), .cookie = 7};
	struct wire_exec x = {.hdr = HDR(5, wire_exec),
			      .proc = proc_of("bash"),
			      .conn = conn_of(22),
			      .flags = WIRE_F_STDIN_TTY | WIRE_F_HELPER | WIRE_F_STDIN_SOCKET |
				       WIRE_F_SELF_EXEC | WIRE_F_TRUNCATED,
			      .args_len = 7,
			      .path = "/bin/bash",
			      .args = "bash\0-i"};
	struct wire_exit q = {.hdr = HDR(6, wire_exit),
			      .proc = proc_of("bash"),
			      .cookie = 7,
			      .code = 256,
			      .alive = 1};
	struct event e;

	(void)state;
	assert_int_equal(decode(&f, sizeof(f), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_FORK);
	assert_true(e.conn == 7);
	assert_proc(&e);
	assert_int_equal(decode(&x, sizeof(x), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_EXEC);
	assert_true(span_is(e.program, "/bin/bash"));
	assert_true(span_eq(e.args, SPAN_LIT("bash\0-i")));
	assert_int_equal(e.flags, EVENT_STDIN_TTY | EVENT_HELPER | EVENT_STDIN_SOCKET |
					  EVENT_SELF_EXEC | EVENT_TRUNCATED);
	assert_conn(&e);
	x.args_len = sizeof(x.args) + 1;
	assert_int_equal(decode(&x, sizeof(x), &e), DECODE_BAD);
	assert_int_equal(decode(&q, sizeof(q), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_EXIT);
	assert_int_equal(e.result, 256);
	assert_int_equal(e.alive, 1);
}

static void network_records(void **state)
{
	struct wire_listen l = {
		.hdr = HDR(7, wire_listen), .proc = proc_of("sshd"), .conn = conn_of(2022)};
	struct wire_connect c = {.hdr = HDR(8, wire_connect),
				 .proc = proc_of("ssh"),
				 .session = 9,
				 .conn = conn_of(5555),
				 .flags = WIRE_F_ESTABLISHED};
	struct wire_bytes b = {
		.hdr = HDR(10, wire_bytes), .session = 9, .cookie = 9, .bytes_in = 1};
	struct event e;

	(void)state;
	assert_int_equal(decode(&l, sizeof(l), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_LISTEN);
	assert_int_equal(e.service, SERVICE_SSH);
	assert_endpoint(&e.dest, "192.0.2.1", 2022);
	assert_int_equal(e.origin.addr.family, ADDR_NONE);
	assert_int_equal(decode(&c, sizeof(c), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_CONNECT);
	assert_int_equal(e.flags, EVENT_ESTABLISHED);
	assert_true(e.conn == 9 && e.out_conn == 7);
	assert_endpoint(&e.dest, "203.0.113.7", 40022);
	assert_endpoint(&e.local, "192.0.2.1", 5555);
	c.hdr.kind = 9;
	assert_int_equal(decode(&c, sizeof(c), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_CONNECT_CLOSE);
	assert_int_equal(decode(&b, sizeof(b), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_BYTES);
	assert_true(e.conn == 9 && e.out_conn == 0 && e.bytes_in == 1);
	b.cookie = 8;
	assert_int_equal(decode(&b, sizeof(b), &e), DECODE_EVENT);
	assert_true(e.out_conn == 8);
}

/* A listener that nobody watches: a look is no event, its server's answer one where it is out of
 * place, and its bytes never begin anything else. */
static void looked_at(void **state)
{
	struct wire_look l = {.hdr = HDR(26, wire_look), .conn = conn_of(443), .cgroup = 77};
	struct wire_data d = {
		.head = {.hdr = HDR(17, wire_data),
			 .conn = conn_of(443),
			 .flags = WIRE_DATA_ANSWER | WIRE_DATA_LOOK,
			 .len = 12},
		.data = "SSH-2.0-any\n",
	};
	struct event e;

	(void)state;
	assert_int_equal(decode(&l, sizeof(l), &e), DECODE_SKIPPED);
	assert_int_equal(e.flags, EVENT_LOOK);
	assert_true(e.cgroup == 77 && e.dest.port == 443);
	assert_int_equal(decode(&l, sizeof(l) - 1, &e), DECODE_BAD);
	assert_int_equal(decode(&d, sizeof(d), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_ANSWER);
	assert_int_equal(e.service, SERVICE_SSH);
	assert_true(span_is(e.text, "https"));
	memcpy(d.data, "RFB 003.008\n", 12);
	assert_int_equal(decode(&d, sizeof(d), &e), DECODE_EVENT);
	assert_int_equal(e.service, SERVICE_VNC);
	assert_int_equal(e.kind, EVENT_ANSWER);
	memcpy(d.data, "HTTP/1.1 200", 12);
	assert_int_equal(decode(&d, sizeof(d), &e), DECODE_SKIPPED);
	d.head.conn.lport = 31337; /* for nothing in particular */
	memcpy(d.data, "SSH-2.0-any\n", 12);
	assert_int_equal(decode(&d, sizeof(d), &e), DECODE_SKIPPED);
}

static void snapshot_record(void **state)
{
	struct wire_snapshot s = {.hdr = HDR(11, wire_snapshot),
				  .proc = proc_of("sshd"),
				  .conn = conn_of(22),
				  .flags = WIRE_F_LEADER,
				  .bytes_in = 3,
				  .path = "/usr/sbin/sshd"};
	struct event e;

	(void)state;
	assert_int_equal(decode(&s, sizeof(s), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_SNAPSHOT);
	assert_int_equal(e.flags, EVENT_EXISTING | EVENT_ESTABLISHED);
	assert_true(span_is(e.program, "/usr/sbin/sshd") && e.bytes_in == 3);
	s.flags = WIRE_F_ESTABLISHED;
	s.path[0] = '\0';
	assert_int_equal(decode(&s, sizeof(s), &e), DECODE_EVENT);
	assert_int_equal(e.flags, EVENT_EXISTING);
	assert_true(span_is(e.program, "sshd"));
}

static void wrong_records(void **state)
{
	_Alignas(8) char buf[4096] = {0};
	struct wire_conn_open o = {.hdr = HDR(1, wire_conn_open), .conn = conn_of(22)};
	struct event e;

	(void)state;
	assert_int_equal(decode(&o, sizeof(o) - 1, &e), DECODE_BAD);
	assert_int_equal(decode(&o, 8, &e), DECODE_BAD);
	memcpy(buf + 1, &o, sizeof(o));
	assert_int_equal(decode(buf + 1, sizeof(o), &e), DECODE_BAD);
	memcpy(buf, &o, sizeof(o));
	assert_int_equal(decode(buf, sizeof(buf), &e), DECODE_EVENT); /* more may follow */
	o.hdr.version = 2;
	assert_int_equal(decode(&o, sizeof(o), &e), DECODE_BAD);
	o.hdr.version = WIRE_VERSION;
	o.hdr.size += 8;
	memcpy(buf, &o, sizeof(o));
	assert_int_equal(decode(buf, sizeof(buf), &e), DECODE_BAD);
	o.hdr.size -= 8;
	o.hdr.kind = 0;
	assert_int_equal(decode(&o, sizeof(o), &e), DECODE_BAD);
	o.hdr.kind = 13;
	assert_int_equal(decode(&o, sizeof(o), &e), DECODE_BAD);
	o.hdr.kind = UINT16_MAX;
	assert_int_equal(decode(&o, sizeof(o), &e), DECODE_BAD);
}

/* A v4-mapped socket is v4, an address family nobody knows has no address. */
static void families(void **state)
{
	struct wire_conn_open o = {.hdr = HDR(1, wire_conn_open), .conn = conn_of(22)};
	struct event e;

	(void)state;
	o.conn.family = 10;
	memset(o.conn.raddr, 0, sizeof(o.conn.raddr));
	memcpy(o.conn.raddr + 10, "\xff\xff\xcb\x00\x71\x08", 6);
	assert_int_equal(decode(&o, sizeof(o), &e), DECODE_EVENT);
	assert_endpoint(&e.origin, "203.0.113.8", 40022);
	o.conn.family = 40;
	assert_int_equal(decode(&o, sizeof(o), &e), DECODE_EVENT);
	assert_int_equal(e.origin.addr.family, ADDR_NONE);
	assert_int_equal(e.origin.port, 0);
}

/* With and without the connection that its server holds. */
static void server_shell_record(void **state)
{
	struct wire_server_shell w = {.hdr = HDR(16, wire_server_shell), .args_len = 9};
	struct event e;

	(void)state;
	memcpy(w.server, "php-cgi8.2", 10);
	memcpy(w.args, "sh\0-c\0id", 9);
	w.proc.uid = 33;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_SERVER_SHELL);
	assert_true(span_is(e.program, "php-cgi8.2"));
	assert_int_equal(e.origin.addr.family, 0);
	w.conn = (struct wire_conn){.cookie = 9, .family = 2, .lport = 443, .rport = 4711};
	w.conn.raddr[0] = 203;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_int_equal(e.origin.port, 4711);
	assert_int_equal(e.conn, 0); /* its server's, which is no session */
	w.args_len = sizeof(w.args) + 1;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_BAD);
}

/* Texts that fill their arrays have no NUL: nothing behind them is read. */
static void file_record(void **state)
{
	struct wire_file w = {.hdr = HDR(19, wire_file), .cookie = 7, .flags = WIRE_F_MANAGED};
	struct event e;

	(void)state;
	w.proc = proc_of("tee");
	strcpy(w.subject, "authorized-keys");
	strcpy(w.program, "/usr/bin/tee");
	strcpy(w.path, "/root/.ssh/authorized_keys");
	strcpy(w.key, "ED25519 SHA256:x");
	strcpy(w.after, "00ff");
	memset(w.text, 'x', sizeof(w.text));
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_FILE);
	assert_int_equal(e.flags, EVENT_MANAGED);
	assert_true(e.conn == 7 && e.proc.pid == 100 && e.uid == 1 && e.euid == 2);
	assert_true(span_is(e.subject, "authorized-keys") && span_is(e.program, "/usr/bin/tee"));
	assert_true(span_is(e.path, "/root/.ssh/authorized_keys"));
	assert_true(span_is(e.key, "ED25519 SHA256:x") && span_is(e.after, "00ff"));
	assert_true(span_empty(e.before) && e.text.len == sizeof(w.text));
	w.cookie = WIRE_HANDOFF_ID | 3;
	w.flags = 0;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_true(e.handoff == (WIRE_HANDOFF_ID | 3) && !e.conn && !e.flags);
	assert_int_equal(decode(&w, sizeof(w) - 8, &e), DECODE_BAD);
}

/* Which of its other ends counts, and that no length or number leads outside the record. */
static void loopback_record(void **state)
{
	struct wire_loopback w = {.hdr = HDR(14, wire_loopback), .peers_count = 3, .args_len = 4};
	struct event e;

	(void)state;
	w.proc = proc_of("frpc");
	w.conn = conn_of(40001);
	memcpy(w.conn.laddr, "\x7f\0\0\1", 4);
	memcpy(w.conn.raddr, "\x7f\0\0\1", 4);
	w.conn.rport = 22;
	w.peers[0] = w.peers[1] = w.peers[2] = conn_of(50000);
	memcpy(w.peers[1].raddr, "\x0a\0\0\x09", 4);
	memcpy(w.args, "frpc", 4);
	w.accepted = 1; /* the first is a proxy's, the second private, the third outside */
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_LOOPBACK);
	assert_endpoint(&e.origin, "127.0.0.1", 40001);
	assert_endpoint(&e.local, "127.0.0.1", 22);
	assert_endpoint(&e.dest, "203.0.113.7", 40022);
	assert_int_equal(e.service, SERVICE_SSH);
	assert_false(e.flags & EVENT_ACCEPTED);
	assert_true(span_is(e.args, "frpc"));
	w.peers_count = 2;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_endpoint(&e.dest, "10.0.0.9", 40022);
	w.peers_count = 1;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_true(e.flags & EVENT_ACCEPTED);
	w.peers_count = 0;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_BAD);
	w.peers_count = WIRE_PEERS + 1;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_BAD);
	w.peers_count = 1;
	w.args_len = sizeof(w.args) + 1;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_BAD);
}

/* A request, and a program of what a broker started: the id never passes for a connection. */
static void handoff_record(void **state)
{
	struct wire_handoff w = {.hdr = HDR(15, wire_handoff), .args_len = 3, .cookie = 12};
	struct wire_exit x = {.hdr = HDR(6, wire_exit), .cookie = WIRE_HANDOFF_ID | 9};
	struct event e;

	(void)state;
	w.proc = proc_of("systemd-run");
	w.flags = WIRE_F_REQUEST;
	memset(w.path, 'p', sizeof(w.path)); /* without an end */
	memcpy(w.args, "run", 3);
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_HANDOFF);
	assert_int_equal(e.conn, 12);
	assert_int_equal(e.path.len, sizeof(w.path));
	w.flags = 0;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_BAD); /* born, but of no id */
	w.cookie = WIRE_HANDOFF_ID | 9;
	w.kind = WIRE_HANDOFF_TMUX;
	w.broker = 812;
	w.held = 12;
	w.others = 2;
	memcpy(w.unit, "run-r1.service", 14);
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_EVENT);
	assert_int_equal(e.kind, EVENT_EXEC);
	assert_int_equal(e.conn, 0);
	assert_int_equal(e.handoff, w.cookie);
	assert_int_equal(e.broker.kind, HANDOFF_TMUX);
	assert_int_equal(e.broker.proc.pid, 812);
	assert_int_equal(e.broker.held, 12);
	assert_int_equal(e.broker.others, 2);
	assert_true(span_is(e.subject, "run-r1.service"));
	w.kind = WIRE_HANDOFF_SCREEN + 1;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_BAD);
	w.kind = 0;
	w.args_len = sizeof(w.args) + 1;
	assert_int_equal(decode(&w, sizeof(w), &e), DECODE_BAD);
	assert_int_equal(decode(&x, sizeof(x), &e), DECODE_EVENT);
	assert_int_equal(e.conn, 0);
	assert_int_equal(e.handoff, x.cookie);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conn_records),	   cmocka_unit_test(pam_record),
		cmocka_unit_test(process_records), cmocka_unit_test(network_records),
		cmocka_unit_test(looked_at),	   cmocka_unit_test(snapshot_record),
		cmocka_unit_test(wrong_records),   cmocka_unit_test(families),
		cmocka_unit_test(loopback_record), cmocka_unit_test(server_shell_record),
		cmocka_unit_test(handoff_record),  cmocka_unit_test(file_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
