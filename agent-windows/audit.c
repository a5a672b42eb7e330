/*
 * audit: does this machine's audit policy let happen what the agent lives of? Without it the
 * Security log is silent however much goes on, which nobody notices; so it is told
 * (`audit-policy-off`).
 *
 * Asks for effective settings of subcategories, by their GUIDs (ntsecapi.h), since their names are
 * translated. Cannot see: a policy of an object (SACL), or one that is changed and put back between
 * two looks; 4719 tells that one.
 */
#include "agent.h"

#include <stdio.h>
#include <string.h>

#include <ntsecapi.h>

#define LOOK_NS (600 * 1000000000ull)

/* 0CCE92xx-69AE-11D9-BED3-505054503030 */
#define SUBCATEGORY(last)                                                                          \
	{                                                                                          \
		0x0CCE9200 | (last), 0x69AE, 0x11D9,                                               \
		{                                                                                  \
			0xBE, 0xD3, 0x50, 0x50, 0x54, 0x50, 0x30, 0x30                             \
		}                                                                                  \
	}

static const struct need {
	GUID guid;
	ULONG wanted; /* POLICY_AUDIT_EVENT_* */
	const char *name, *lost;
	bool blind; /* without it the product's first purpose is gone */
} needs[] = {
	{SUBCATEGORY(0x15), POLICY_AUDIT_EVENT_SUCCESS | POLICY_AUDIT_EVENT_FAILURE, "Logon",
	 "logons and failed logons", true},
	{SUBCATEGORY(0x16), POLICY_AUDIT_EVENT_SUCCESS, "Logoff", "the end of sessions", false},
	{SUBCATEGORY(0x1C), POLICY_AUDIT_EVENT_SUCCESS, "Other Logon/Logoff Events",
	 "reconnects of RDP sessions", false},
	{SUBCATEGORY(0x3F), POLICY_AUDIT_EVENT_FAILURE, "Credential Validation",
	 "guesses that only this machine's own accounts know of", false},
	{SUBCATEGORY(0x2B), POLICY_AUDIT_EVENT_SUCCESS, "Process Creation",
	 "what is run in a session (unless Sysmon tells)", false},
};
#define NEEDS (sizeof(needs) / sizeof(needs[0]))

typedef BOOLEAN(WINAPI *query_fn)(const GUID *guids, ULONG count, AUDIT_POLICY_INFORMATION **ret);
typedef VOID(WINAPI *free_fn)(PVOID p);

/* AuditQuerySystemPolicy wants SeSecurityPrivilege, which an administrator has and must switch on.
 */
static void privilege_take(void)
{
	TOKEN_PRIVILEGES p = {.PrivilegeCount = 1};
	HANDLE token;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token))
		return;
	p.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
	if (LookupPrivilegeValueW(NULL, L"SeSecurityPrivilege", &p.Privileges[0].Luid))
		(void)AdjustTokenPrivileges(token, FALSE, &p, 0, NULL, NULL);
	CloseHandle(token);
}

static void policy_judge(struct agent *a, const AUDIT_POLICY_INFORMATION *info)
{
	struct audit_policy *s = &a->audit;
	char text[REASON_MAX];
	size_t n = 0;

	s->off[0] = '\0';
	for (size_t i = 0; i < NEEDS; i++) {
		ULONG is = info[i].AuditingInformation & needs[i].wanted;

		if (is == needs[i].wanted)
			continue;
		if (n < sizeof(s->off))
			n += (size_t)snprintf(s->off + n, sizeof(s->off) - n, "%s%s (%s)",
					      n ? ", " : "", needs[i].lost, needs[i].name);
		if (!needs[i].blind || s->told == is + 1)
			continue;
		s->told = is + 1; /* told once for each state of it */
		snprintf(text, sizeof(text),
			 "audit-policy-off: %s are not audited%s: subcategory %s", needs[i].lost,
			 is & POLICY_AUDIT_EVENT_SUCCESS   ? " when they fail"
			 : is & POLICY_AUDIT_EVENT_FAILURE ? " when they succeed"
							   : "",
			 needs[i].name);
		agent_sensor(a, text);
	}
	if (info[0].AuditingInformation == needs[0].wanted)
		s->told = 0;
}

void audit_look(struct agent *a, uint64_t now_ns)
{
	HMODULE m = GetModuleHandleW(L"advapi32.dll");
	query_fn query = m ? (query_fn)(void *)GetProcAddress(m, "AuditQuerySystemPolicy") : NULL;
	free_fn done = m ? (free_fn)(void *)GetProcAddress(m, "AuditFree") : NULL;
	AUDIT_POLICY_INFORMATION *info = NULL;
	struct audit_policy *s = &a->audit;
	GUID guids[NEEDS];
	char text[REASON_MAX];

	if (s->looked_ns && now_ns < s->looked_ns + LOOK_NS)
		return;
	s->looked_ns = now_ns;
	for (size_t i = 0; i < NEEDS; i++)
		guids[i] = needs[i].guid;
	if (!query || !done) {
		snprintf(s->reason, sizeof(s->reason), "this system cannot be asked for it");
		return;
	}
	privilege_take();
	if (!query(guids, NEEDS, &info) || !info) {
		snprintf(s->reason, sizeof(s->reason), "%s", system_error(GetLastError(), text));
		return;
	}
	s->reason[0] = '\0';
	policy_judge(a, info);
	done(info);
}
