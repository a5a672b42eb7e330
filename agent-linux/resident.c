#include "agent-linux/resident.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

static int give_back(struct dl_phdr_info *o, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)arg;
	for (int i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &o->dlpi_phdr[i];
		uintptr_t from = o->dlpi_addr + h->p_vaddr, to = from + h->p_filesz;

		/* A writable segment has relocated pages, which no file would give again. */
		if (h->p_type != PT_LOAD || (h->p_flags & PF_W))
			continue;
		from &= ~(page - 1);
		to &= ~(page - 1);
		if (from < to)
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

void resident_trim(void)
{
	dl_iterate_phdr(give_back, NULL);
}
