/*
 * cookies: kernels before 5.12 give a socket its cookie only when somebody asks, and none of our
 * programs can ask there for a socket that was accepted before them.
 */
#ifndef OUTERGATE_COOKIES_H
#define OUTERGATE_COOKIES_H

/*
 * Asks for the cookie of every TCP connection that root's processes hold, so that the snapshot
 * finds them. Returns how many connections have one now, or -errno when none could be looked at.
 */
int cookies_make(void);

#endif
