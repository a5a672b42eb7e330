/* tdh: what the system knows of an event's fields, from the script's schemas. */
#define DOUBLE_CORE
#include "core.h"

#include <tdh.h>

#include <stdlib.h>

struct builder {
	uint8_t *to; /* NULL: only measured */
	ULONG size, at;
};

static ULONG put_text(struct builder *b, const WCHAR *text)
{
	ULONG at = b->at, n = (ULONG)((wcslen(text) + 1) * sizeof(WCHAR));

	if (b->to)
		memcpy(b->to + at, text, n);
	b->at += n;
	return at;
}

static USHORT length_of(USHORT in)
{
	static const USHORT lengths[] = {0, 0, 0, 1, 1,	 2, 2, 4,  4, 8, 8,
					 4, 8, 4, 0, 16, 8, 8, 16, 0, 4, 8};

	return in < sizeof(lengths) / sizeof(lengths[0]) ? lengths[in] : 0;
}

static void put_schema(const struct schema *s, const EVENT_HEADER *h, TRACE_EVENT_INFO *info,
		       struct builder *b)
{
	ULONG provider = put_text(b, s->provider), channel = put_text(b, s->channel);

	if (b->to) {
		info->ProviderGuid = h->ProviderId;
		info->EventDescriptor = h->EventDescriptor;
		info->DecodingSource = DecodingSourceXMLFile;
		info->ProviderNameOffset = provider;
		info->ChannelNameOffset = channel;
		info->PropertyCount = info->TopLevelPropertyCount = s->count;
	}
	for (unsigned i = 0; i < s->count; i++) {
		const struct schema_field *f = &s->fields[i];
		EVENT_PROPERTY_INFO *p = &info->EventPropertyInfoArray[i];
		ULONG name = put_text(b, f->name);

		if (!b->to)
			continue;
		p->NameOffset = name;
		p->nonStructType.InType = f->in;
		p->nonStructType.OutType = f->out;
		p->count = 1;
		if (f->length_from >= 0) {
			p->Flags = PropertyParamLength;
			p->lengthPropertyIndex = (USHORT)f->length_from;
		} else {
			p->length = length_of(f->in);
		}
	}
}

__declspec(dllexport) ULONG WINAPI
	TdhGetEventInformation(EVENT_RECORD *event, ULONG count, TDH_CONTEXT *contexts,
			       TRACE_EVENT_INFO *ret, ULONG *size)
{
	const struct schema *s;
	struct builder b = {0};

	(void)count;
	(void)contexts;
	double_begin();
	if (!event || !size || (*size && !ret))
		return ERROR_INVALID_PARAMETER;
	double_lock();
	s = schema_of(&event->EventHeader);
	double_unlock();
	if (!s) {
		double_log("tdh-unknown %u %u", event->EventHeader.EventDescriptor.Id,
			   event->EventHeader.EventDescriptor.Version);
		return ERROR_NOT_FOUND;
	}
	b.at = (ULONG)(sizeof(TRACE_EVENT_INFO) + s->count * sizeof(EVENT_PROPERTY_INFO));
	put_schema(s, &event->EventHeader, ret, &b);
	if (*size < b.at) {
		*size = b.at;
		return ERROR_INSUFFICIENT_BUFFER;
	}
	memset(ret, 0xcd, *size); /* nobody may lean on what Windows did not write */
	memset(ret, 0, sizeof(TRACE_EVENT_INFO) + s->count * sizeof(EVENT_PROPERTY_INFO));
	b = (struct builder){
		.to = (uint8_t *)ret,
		.at = (ULONG)(sizeof(TRACE_EVENT_INFO) + s->count * sizeof(EVENT_PROPERTY_INFO))};
	put_schema(s, &event->EventHeader, ret, &b);
	double_log("tdh %u %u", event->EventHeader.EventDescriptor.Id,
		   event->EventHeader.EventDescriptor.Version);
	return ERROR_SUCCESS;
}
