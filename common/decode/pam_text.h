/* pam_text: what PAM modules log, in sshd's name or in their own. Internal to decode/. */
#ifndef OUTERGATE_DECODE_PAM_TEXT_H
#define OUTERGATE_DECODE_PAM_TEXT_H

#include "decode.h"

/* A PAM service: which remote service it guards, or that it opens none. */
struct pam_service {
	const char *name;
	enum service service; /* NONE: by the connection, or none at all */
	bool ignored;	      /* cron, polkit: no person came in */
};

/* NULL when it is not in the table. */
const struct pam_service *pam_service_find(struct span name);

/* Is the message a PAM module's ("pam_unix(sshd:auth): ...")? */
bool pam_text_claims(struct span ident, struct span msg);
enum decode_result pam_text_read(struct span ident, struct span msg, struct event *e,
				 const char **reason);

#endif
