/*
 * patch: puts the double's calls into the program's import table, by their names. This runs when
 * the program's imports are bound and its main() has not begun.
 */
#define DOUBLE_CORE
#include "core.h"

struct replacement {
	const char *name;
	void *by;
};

static const struct replacement replacements[] = {
	{"StartTraceW", fake_StartTraceW},
	{"ControlTraceW", fake_ControlTraceW},
	{"EnableTraceEx2", fake_EnableTraceEx2},
	{"OpenTraceW", fake_OpenTraceW},
	{"ProcessTrace", fake_ProcessTrace},
	{"CloseTrace", fake_CloseTrace},
	{"RegisterEventSourceW", fake_RegisterEventSourceW},
	{"DeregisterEventSource", fake_DeregisterEventSource},
	{"ReportEventW", fake_ReportEventW},
	{"SetConsoleCtrlHandler", fake_SetConsoleCtrlHandler},
};

static void replace(ULONG_PTR *slot, const char *name)
{
	DWORD old;

	for (size_t i = 0; i < sizeof(replacements) / sizeof(replacements[0]); i++) {
		if (strcmp(name, replacements[i].name) != 0)
			continue;
		if (!VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &old))
			return;
		*slot = (ULONG_PTR)replacements[i].by;
		VirtualProtect(slot, sizeof(*slot), old, &old);
	}
}

static void patch_imports(uint8_t *base)
{
	IMAGE_NT_HEADERS *nt = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
	IMAGE_DATA_DIRECTORY *dir = &nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
	IMAGE_IMPORT_DESCRIPTOR *d = (IMAGE_IMPORT_DESCRIPTOR *)(base + dir->VirtualAddress);

	for (; dir->Size && d->Name; d++) {
		IMAGE_THUNK_DATA *names = (IMAGE_THUNK_DATA *)(base + d->OriginalFirstThunk);
		IMAGE_THUNK_DATA *slots = (IMAGE_THUNK_DATA *)(base + d->FirstThunk);

		for (; names->u1.AddressOfData; names++, slots++) {
			IMAGE_IMPORT_BY_NAME *n;

			if (IMAGE_SNAP_BY_ORDINAL(names->u1.Ordinal))
				continue;
			n = (IMAGE_IMPORT_BY_NAME *)(base + names->u1.AddressOfData);
			replace(&slots->u1.Function, (const char *)n->Name);
		}
	}
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD why, LPVOID reserved);
BOOL WINAPI DllMain(HINSTANCE self, DWORD why, LPVOID reserved)
{
	(void)self;
	(void)reserved;
	if (why == DLL_PROCESS_ATTACH)
		patch_imports((uint8_t *)GetModuleHandleW(NULL));
	return TRUE;
}
