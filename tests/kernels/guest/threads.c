/*
 * threads exec|leave PROGRAM ARGUMENT...: runs a program from a thread that is not the first one,
 * by exec (the thread becomes the process) or by fork after the first thread has ended.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char **program;
static int leaves;

static void *other(void *first)
{
	if (leaves) {
		pthread_join(*(pthread_t *)first, NULL);
		if (fork()) {
			wait(NULL);
			exit(0);
		}
	}
	execv(program[0], program);
	exit(1);
}

int main(int argc, char **argv)
{
	static pthread_t first;
	pthread_t t;

	if (argc < 3)
		return 2;
	first = pthread_self();
	leaves = !strcmp(argv[1], "leave");
	program = argv + 2;
	if (pthread_create(&t, NULL, other, &first))
		return 1;
	if (leaves)
		pthread_exit(NULL);
	pthread_join(t, NULL);
	return 0;
}
