/*
 * windows_etw: the payload of an ETW event becomes a Windows event, by a template that names its
 * fields and their types in order. Internal to decode/ and the Windows agent.
 *
 * Source: Windows SDK, tdh.h (TDH_INTYPE_*, TDH_OUTTYPE_*), evntcons.h (EVENT_HEADER); the layout
 * of each type as TdhFormatProperty documents it.
 */
#ifndef OUTERGATE_DECODE_WINDOWS_ETW_H
#define OUTERGATE_DECODE_WINDOWS_ETW_H

#include "json_text.h"
#include "windows.h"

#define ETW_FIELDS_MAX 64
#define ETW_NO_LENGTH  0xff /* its own: fixed by its type, or up to its NUL */

enum etw_type { /* TDH_INTYPE_* */
	ETW_UNICODE = 1,
	ETW_ANSI = 2,
	ETW_INT8 = 3,
	ETW_UINT8 = 4,
	ETW_INT16 = 5,
	ETW_UINT16 = 6,
	ETW_INT32 = 7,
	ETW_UINT32 = 8,
	ETW_INT64 = 9,
	ETW_UINT64 = 10,
	ETW_FLOAT = 11,
	ETW_DOUBLE = 12,
	ETW_BOOLEAN = 13,
	ETW_BINARY = 14,
	ETW_GUID = 15,
	ETW_POINTER = 16,
	ETW_FILETIME = 17,
	ETW_SYSTEMTIME = 18,
	ETW_SID = 19,
	ETW_HEX32 = 20,
	ETW_HEX64 = 21
};

struct etw_field {
	char name[48];
	uint8_t type;	     /* enum etw_type */
	uint8_t length_from; /* index of the field that has its length; ETW_NO_LENGTH */
	uint16_t length;     /* bytes (text: characters); 0: its own */
	bool is_address;     /* a sockaddr, or an IP address in network order */
};

struct etw_template {
	unsigned count;
	struct etw_field fields[ETW_FIELDS_MAX];
};

/*
 * Adds the fields to ret; texts go to scratch. What is cut short ends the list, and *reason says
 * so; the fields before it are there. False: nothing can be read at all.
 */
bool windows_from_etw(const struct etw_template *t, struct span payload, bool is_64,
		      struct json *scratch, struct windows_event *ret, const char **reason);

#endif
