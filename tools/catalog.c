/* Prints deploy/outergate.catalog from the table of detections; see tools/catalog.sh. */
#include <stdio.h>

#include "common/out/out.h"

int main(void)
{
	static char entry[OUT_ALERT_MAX];

	puts("# What the journal knows of Outergate's alerts: `journalctl -x -t outergate`.\n"
	     "# Made by tools/catalog.sh from the table of detections. MESSAGE_ID is a fixed "
	     "prefix and\n"
	     "# the detection's number in four hex digits.");
	for (int i = 0; i < DETECTION_COUNT; i++) {
		if (out_catalog_entry(detections[i], entry, sizeof(entry)) < 0)
			return 1;
		printf("\n%s", entry);
	}
	return 0;
}
