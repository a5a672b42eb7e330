#include "pam_files.h"

#include <bpf/libbpf.h>
#include <errno.h>

struct pam_file *pam_files_find(struct pam_files *f, dev_t dev, ino_t ino)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->items[i].dev == dev && f->items[i].ino == ino)
			return &f->items[i];
	return NULL;
}

void pam_file_release(struct pam_file *file, bool unpin)
{
	for (unsigned i = 0; i < PAM_LINKS; i++) {
		struct bpf_link *link = file->links[i];

		if (link && unpin && bpf_link__pin_path(link))
			(void)bpf_link__unpin(link);
		bpf_link__destroy(link);
		file->links[i] = NULL;
	}
}

int pam_files_remove(struct pam_files *f, dev_t dev, ino_t ino)
{
	struct pam_file *file = pam_files_find(f, dev, ino);

	if (!file)
		return -ENOENT;
	pam_file_release(file, true);
	*file = f->items[--f->count];
	return 0;
}
