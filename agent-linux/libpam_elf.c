/* libpam_elf: the dynamic symbols of a shared library, by libelf. */
#include "libpam_elf.h"

#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <string.h>

static const char *const symbol_names[LIBPAM_SYMBOLS] = {
	[LIBPAM_AUTHENTICATE] = "pam_authenticate",
	[LIBPAM_ACCT_MGMT] = "pam_acct_mgmt",
	[LIBPAM_OPEN_SESSION] = "pam_open_session",
	[LIBPAM_CLOSE_SESSION] = "pam_close_session",
	[LIBPAM_END] = "pam_end",
};

static bool file_offset(Elf *elf, uint64_t vaddr, uint64_t *ret)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n && i < 1024; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (vaddr >= ph.p_vaddr && vaddr - ph.p_vaddr < ph.p_filesz) {
			*ret = vaddr - ph.p_vaddr + ph.p_offset;
			return true;
		}
	}
	return false;
}

static void symbol_take(Elf *elf, const GElf_Sym *sym, const char *name,
			uint64_t ret[LIBPAM_SYMBOLS])
{
	if (!name || GELF_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF)
		return;
	for (unsigned i = 0; i < LIBPAM_SYMBOLS; i++)
		if (!strcmp(name, symbol_names[i]) && !file_offset(elf, sym->st_value, &ret[i]))
			ret[i] = 0;
}

static void symbols_scan(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, uint64_t ret[LIBPAM_SYMBOLS])
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t count;

	if (!data || !sh->sh_entsize)
		return;
	count = sh->sh_size / sh->sh_entsize;
	/* libpam has about 100 symbols; a crafted file may claim anything. */
	for (size_t i = 0; i < count && i < 65536; i++) {
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym))
			break;
		symbol_take(elf, &sym, elf_strptr(elf, sh->sh_link, sym.st_name), ret);
	}
}

int libpam_offsets(int fd, uint64_t ret[LIBPAM_SYMBOLS])
{
	uint64_t found[LIBPAM_SYMBOLS] = {0};
	Elf_Scn *scn = NULL;
	Elf *elf;
	int err = 0;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return -ENOEXEC;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_DYNSYM)
			symbols_scan(elf, scn, &sh, found);
	}
	elf_end(elf);
	for (unsigned i = 0; i < LIBPAM_SYMBOLS; i++)
		if (!found[i])
			err = -ENOENT;
	if (!err)
		memcpy(ret, found, sizeof(found));
	return err;
}
