/*
 * key: what is kept of a key, so that it names an identity. Of a certificate that is the account's
 * key, the key id and the serial (SPEC: identity); the authority's key is left out, and a key id
 * that is too long is cut, never the serial.
 *
 * The key id is the certificate's text and may look like anything: the serial is the last one.
 * Format: sshd's "TYPE-CERT SHA256:... ID %s (serial %llu) CA TYPE SHA256:..." (auth2-pubkey.c).
 *
 * Example: "ED25519-CERT SHA256:soYW... ID alice@laptop (serial 7)"
 */
#include "core_internal.h"

static size_t find_last(struct span s, struct span what)
{
	for (size_t at = s.len; at-- > 0;)
		if (span_starts(span_skip(s, at), what))
			return at;
	return SIZE_MAX;
}

/* Where the key id starts: after "TYPE-CERT FINGERPRINT ID "; 0 when it is no certificate. */
static size_t id_start_of(struct span told)
{
	const struct span cert = SPAN_LIT("-CERT"), mark = SPAN_LIT(" ID ");
	size_t at = 0, end;

	while (at < told.len && told.ptr[at] != ' ')
		at++;
	if (at < cert.len || !span_starts(span_skip(told, at - cert.len), cert))
		return 0;
	for (end = at + 1; end < told.len && told.ptr[end] != ' ';)
		end++;
	return span_starts(span_skip(told, end), mark) ? end + mark.len : 0;
}

/* " (serial N)" at its end, whatever follows; 0 when there is none. */
static size_t serial_at(struct span told, size_t from, size_t *ret_len)
{
	const struct span mark = SPAN_LIT(" (serial ");
	size_t at = find_last(told, mark), end;

	if (at == SIZE_MAX || at < from)
		return 0;
	end = at + mark.len;
	while (end < told.len && told.ptr[end] >= '0' && told.ptr[end] <= '9')
		end++;
	if (end == at + mark.len || end == told.len || told.ptr[end] != ')')
		return 0;
	*ret_len = end + 1 - at;
	return at;
}

void key_store(char ret[KEY_MAX], struct span told)
{
	size_t id = id_start_of(told), len = 0;
	size_t serial = id ? serial_at(told, id, &len) : 0;

	if (!serial || len >= KEY_MAX / 2 || id >= KEY_MAX - len) {
		span_copy(ret, KEY_MAX, told);
		return;
	}
	span_copy(ret, KEY_MAX - len, span_first(told, serial));
	id = strnlen(ret, KEY_MAX);
	span_copy(ret + id, KEY_MAX - id, (struct span){told.ptr + serial, len});
}

struct span key_identity(const char *key)
{
	struct span all = span_of(key);

	return span_skip(all, id_start_of(all));
}
