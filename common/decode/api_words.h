/*
 * api_words: what a request to a container engine or a cluster means: Docker Engine API, kubelet,
 * Kubernetes API. From method, target and as much of the body as is there; a target of the
 * wrong kind is API_OTHER, never an error.
 *
 * A directory of the host is RISK_HOST_MOUNT wherever it is: what a link in it leads to cannot be
 * told from here. Only /etc/localtime and /etc/timezone are not; a socket of an engine is
 * RISK_ENGINE_SOCKET alone, /run and what holds such sockets is both.
 *
 * Example: POST /v1.41/containers/create {"Image":"alpine","HostConfig":{"Binds":["/:/host"]}}
 */
#ifndef OUTERGATE_API_WORDS_H
#define OUTERGATE_API_WORDS_H

#include "../event.h"

#define API_TEXT_MAX	4096 /* a request is that long at most (first_bytes.h) */
#define API_COMMAND_MAX 1024
#define API_DETAIL_MAX	256
#define API_NAME_MAX	512 /* "namespace/pod", each at most 253 (RFC 1123) */

/* What has to be put together; spans of an event point here until it is used again. */
struct api_words {
	char text[API_TEXT_MAX]; /* unescaped */
	char command[API_COMMAND_MAX];
	char later[API_COMMAND_MAX]; /* Cmd, until it is known whether an Entrypoint is before it */
	char detail[API_DETAIL_MAX];
	char name[API_NAME_MAX];
};

/*
 * Fills e->api, e->args of e->service, e->subject (method), e->path (target), e->text (body). What
 * did not fit sets EVENT_TRUNCATED. api.anonymous stays as it is. api.container may hold what the
 * answer said that it made: of a create it stays. For services without such an API: nothing.
 */
void api_read(struct api_words *w, struct event *e);

#endif
