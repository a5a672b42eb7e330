/*
 * fuzz_wireguard: any bytes as what a WireGuard device says of its peers, as text or as netlink
 * messages (the first byte says which, and where a read ends). Peers are the same however text
 * comes in, and their texts end.
 */
#include "fuzz.h"

#include "agent-linux/wg_dump.h"

struct told {
	unsigned count;
	uint64_t sum;
};

static void take(void *arg, const struct wg_peer *p)
{
	struct told *t = arg;
	const uint8_t *b = (const uint8_t *)p;

	CHECK(memchr(p->inner, 0, sizeof(p->inner)) && memchr(p->device, 0, sizeof(p->device)));
	CHECK(p->at.addr.family <= ADDR_V6);
	t->count++;
	for (size_t i = 0; i < offsetof(struct wg_peer, pid); i++)
		t->sum = t->sum * 31 + b[i];
	for (const char *c = p->inner; *c; c++)
		t->sum = t->sum * 31 + (uint8_t)*c;
}

/* As a socket gives it: what is no whole line yet comes again with the next bytes. */
static long text(struct told *t, const char *bytes, size_t size, size_t cut)
{
	struct wg_dump d = {.take = take, .arg = t, .peer.device = "wg0"};
	char *first = malloc(cut + 1);
	long used;

	CHECK(first);
	memcpy(first, bytes, cut);
	used = wg_text(&d, first, cut);
	CHECK(used <= (long)cut);
	free(first);
	if (used >= 0) {
		long more = wg_text(&d, bytes + used, size - (size_t)used);

		CHECK(more <= (long)(size - (size_t)used));
		used = more < 0 ? more : used + more;
	}
	wg_finish(&d);
	return used;
}

static void messages(const uint8_t *data, size_t size)
{
	struct told t = {0};
	struct wg_dump d = {.take = take, .arg = &t};

	while (size > 2) { /* each of its own length, in memory of its own */
		size_t n = (size_t)data[0] << 8 | data[1];
		uint8_t *copy;

		size -= 2;
		data += 2;
		n = n < size ? n : size;
		copy = malloc(n + 1);
		CHECK(copy);
		memcpy(copy, data, n);
		if (wg_netlink(&d, copy, n))
			size = n;
		free(copy);
		data += n;
		size -= n;
	}
	wg_finish(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told whole = {0}, parts = {0};
	char *copy;
	long used, again;

	if (!size)
		return 0;
	if (data[0] & 1) {
		messages(data + 1, size - 1);
		return 0;
	}
	copy = malloc(size);
	CHECK(copy);
	memcpy(copy, data + 1, size - 1);
	used = text(&whole, copy, size - 1, size - 1);
	again = text(&parts, copy, size - 1, (size_t)data[0] * (size - 1) / 256);
	/* A line that never ends is refused as soon as it is seen to be too long. */
	CHECK(again == used || again < 0);
	CHECK(again < 0 || (whole.count == parts.count && whole.sum == parts.sum));
	free(copy);
	return 0;
}
