/*
 * double: what Windows would do for outergate.exe, told by a script. tdh.dll and wevtapi.dll of
 * this folder lie beside a copy of the program, which is not changed: Windows (and Wine) look there
 * first, and tdh.dll puts its own ETW and Event Log calls in the place of those that the program
 * imports (patch.c). tests/wine/encode.py makes scripts of recorded events.
 *
 * The script is the file that OUTERGATE_DOUBLE names: one line, one step; fields are separated by
 * tabs. What the program called goes to the file OUTERGATE_DOUBLE_LOG, one line a call.
 *
 *   schema GUID ID VERSION PROVIDER CHANNEL [NAME,IN,OUT,LENGTH-INDEX]...   what TDH knows
 *   channel NAME            it exists; others are ERROR_EVT_CHANNEL_NOT_FOUND
 *   session NAME            an orphan: StartTraceW says ERROR_ALREADY_EXISTS until it is stopped
 *   fault WHAT WHERE CODE [TIMES]   the call fails; WHAT: open start enable process subscribe next
 *                           render report; WHERE: a session, channel or event id, or "*"
 *   play                    what stands before is there when the program starts: its events were
 *                           logged before (channels have them, ETW does not)
 *   event VIA GUID ID VERSION FILETIME ACTIVITY PID TID BITS HEX CHANNEL RECORD XML
 *                           VIA: "etw", "evt" or both in their order; BITS: 32 or 64;
 *                           FILETIME +N: that long after "play", and not before; "@TIME@" in the
 *                           XML becomes that time
 *   lost SESSION COUNT      that many records are lost, and told by RT_LostEvent
 *   quiet-loss SESSION COUNT   the same, told by ControlTraceW(QUERY) only
 *   return SESSION CODE     ProcessTrace returns
 *   clear CHANNEL           its records are gone
 *   burst 1                 from here on ETW's events do not wait for the one before to be taken
 *   await TEXT [TIMES]      until a line of the log begins with it (30 s at most)
 *   pause MILLISECONDS
 *   ctrl CODE               calls the program's console handlers, as Ctrl-C does
 *   exit CODE               the program is killed
 *   end                     when all was delivered, "end" is written to the log
 */
#ifndef OUTERGATE_DOUBLE_H
#define OUTERGATE_DOUBLE_H

#include <windows.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef DOUBLE_CORE
#define DOUBLE_API __declspec(dllexport)
#else
#define DOUBLE_API __declspec(dllimport)
#endif

struct record {
	uint64_t id;
	WCHAR *xml;
	uint32_t event;
};

struct channel {
	WCHAR name[256];
	struct record *records;
	size_t count, room;
	size_t gone; /* records that were before them, until the log was cleared */
};

/* Everything below is called with the lock held, but double_lock() and double_log(). */
DOUBLE_API void double_lock(void);
DOUBLE_API void double_unlock(void);
/* Waits for a change (anything delivered, taken or told), the lock is let go meanwhile. */
DOUBLE_API bool double_wait(DWORD ms);
DOUBLE_API void double_changed(void);

DOUBLE_API void double_log(const char *format, ...) __attribute__((format(gnu_printf, 1, 2)));
/* Reads the script once, and begins to play it. Without the lock. */
DOUBLE_API void double_begin(void);
/* The code of a fault that is due, and one less of it; 0: none. */
DOUBLE_API DWORD double_fault(const char *what, const WCHAR *where);
DOUBLE_API struct channel *double_channel(const WCHAR *name);
DOUBLE_API struct channel *double_channel_at(size_t i);
/* Called with the lock held after a record came to a channel. */
DOUBLE_API void double_on_record(void (*told)(struct channel *c), bool (*all_taken)(void));

#endif
