/*
 * Every nth allocation fails: preloaded into the program under test.
 *
 *   FAULT_NTH=N     the Nth allocation of a process gives NULL (ENOMEM)
 *   FAULT_ON=1      and so does every one after it
 *   FAULT_DEPTH=D   only in processes that are D forks below the one that was started
 *   FAULT_COUNT=F   the number of allocations is appended to this file when such a process ends
 *
 * Counted are malloc, calloc, realloc, reallocarray, aligned_alloc, posix_memalign and what the
 * program itself maps; what the loader does before main() is not.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static unsigned long nth, seen;
static long depth, wanted_depth;
static int on, armed, count_fd = -1;

/* Counts one; is it to fail? */
static int fails(void)
{
	if (!armed || depth != wanted_depth)
		return 0;
	seen++;
	if (!nth || seen < nth || (seen > nth && !on))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t each)
{
	return fails() ? NULL : __libc_calloc(n, each);
}

void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

void *reallocarray(void *p, size_t n, size_t each)
{
	size_t all;

	if (__builtin_mul_overflow(n, each, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails() ? NULL : __libc_realloc(p, all);
}

void *aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **ret, size_t align, size_t n)
{
	void *p = fails() ? NULL : __libc_memalign(align, n);

	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	static void *(*real)(void *, size_t, int, int, int, off_t);

	if (!real)
		real = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
	return fails() ? MAP_FAILED : real(at, n, prot, flags, fd, off);
}

void *mmap64(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	return mmap(at, n, prot, flags, fd, off);
}

static void tell(void)
{
	char text[24];
	int n;

	if (count_fd < 0 || depth != wanted_depth)
		return;
	n = snprintf(text, sizeof(text), "%lu\n", seen);
	if (write(count_fd, text, (size_t)n) != n)
		_exit(99);
}

/* A child counts for itself, from its own beginning. */
static void forked(void)
{
	depth++;
	seen = 0;
}

static unsigned long number(const char *name)
{
	const char *v = getenv(name);

	return v ? strtoul(v, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("FAULT_COUNT");

	nth = number("FAULT_NTH");
	on = number("FAULT_ON") != 0;
	wanted_depth = (long)number("FAULT_DEPTH");
	if (file)
		count_fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	pthread_atfork(NULL, NULL, forked);
	armed = 1;
}

__attribute__((destructor)) static void end(void)
{
	armed = 0;
	tell();
}
