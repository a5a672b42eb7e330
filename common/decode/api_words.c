/*
 * api_words: see the header. The service says whose words they are.
 */
#include "api_parts.h"

void api_read(struct api_words *w, struct event *e)
{
	if (e->service == SERVICE_DOCKER)
		api_docker(w, e);
	else if (e->service == SERVICE_KUBELET)
		api_kubelet(w, e);
	else if (e->service == SERVICE_KUBE_API)
		api_kube(w, e);
	else if (e->service == SERVICE_KUBE_DASHBOARD)
		api_dashboard(w, e);
}
