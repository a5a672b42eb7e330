/* file: files of the configuration, opened by the privileged parent. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent-linux/priv.h"
#include "forward.h"

static const char *const names[FORWARD_FILES] = {"ca", "cert", "key", "secret"};

static int read_all(int fd, char *buf, size_t cap)
{
	size_t got = 0;
	ssize_t n;

	while (got < cap - 1 && (n = pread(fd, buf + got, cap - 1 - got, (off_t)got)) > 0)
		got += (size_t)n;
	buf[got] = '\0';
	if (got == cap - 1)
		return -EFBIG;
	return (int)got;
}

int forward_file(struct forwarder *f, enum forward_file which, char *buf, size_t cap)
{
	struct priv_msg m = {.kind = PRIV_FORWARD_FILE, .arg = which, .arg2 = f->row};
	int fd = -1, r;

	buf[0] = '\0';
	if (!f->to->files[which][0])
		return 0;
	r = priv_call(FORWARD_FD_PARENT, &m, &fd);
	if (!r)
		r = read_all(fd, buf, cap);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		forward_why(f, "cannot read %s %s: %s", names[which], f->to->files[which],
			    strerror(-r));
	else if (!r)
		forward_why(f, "%s %s is empty", names[which], f->to->files[which]);
	return r ? r : -ENODATA;
}

int forward_token(struct forwarder *f, char *buf, size_t cap)
{
	int r = forward_file(f, FORWARD_FILE_TOKEN, buf, cap);
	size_t n;

	if (r < 0)
		return r;
	n = strcspn(buf, "\r\n");
	buf[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)buf[i] < ' ') {
			forward_why(f, "the secret holds control characters");
			return -EINVAL;
		}
	return (int)n;
}
