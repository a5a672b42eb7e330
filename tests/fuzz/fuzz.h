/* fuzz: what every target has. A check that fails ends the run, with its input kept. */
#ifndef OUTERGATE_FUZZ_H
#define OUTERGATE_FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			__builtin_trap();                                                          \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
