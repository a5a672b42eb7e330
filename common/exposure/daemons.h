/* daemons: what a daemon asks for, of its command line and settings. Each fills auth and words. */
#ifndef OUTERGATE_EXPOSURE_DAEMONS_H
#define OUTERGATE_EXPOSURE_DAEMONS_H

#include "exposure.h"

void exposure_vnc(struct exposure *x, struct span args);
void exposure_docker(struct exposure *x, struct span args, const struct exposure_reader *r);
void exposure_kubelet(struct exposure *x, struct span args, const struct exposure_reader *r);
void exposure_kube_api(struct exposure *x, struct span args);
void exposure_dropbear(struct exposure *x, struct span args);

/* What the settings of a kubelet say; false: they are none that can be read. */
struct kubelet_settings {
	int anonymous; /* -1: not said */
	uint16_t read_only_port;
	char mode[32];
};
bool kubelet_settings_read(struct kubelet_settings *s, struct span yaml);

/* The same of dockerd's daemon.json. */
struct docker_settings {
	bool verifies; /* asks its clients for a certificate */
};
bool docker_settings_read(struct docker_settings *s, struct span json);

#endif
