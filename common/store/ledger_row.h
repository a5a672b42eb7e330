/* ledger_row: an entry of the ledger, for who writes it and who reads it again. */
#ifndef OUTERGATE_LEDGER_ROW_H
#define OUTERGATE_LEDGER_ROW_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "../sha256.h"
#include "ledger.h"

#define LEDGER_LINK  SHA256_SIZE
#define LEDGER_ALERT "alert" /* else why it was removed */
#define LEDGER_ROWS  "SELECT seq, what, id, digest, link FROM ledger"

struct ledger_row {
	uint64_t seq;
	char what[16], id[ID_TEXT_MAX];
	uint8_t digest[LEDGER_LINK]; /* of the alert's row, zero when it was removed */
	uint8_t link[LEDGER_LINK];
};

/* False: it is no entry that the agent has written. */
bool ledger_row_read(sqlite3_stmt *st, struct ledger_row *ret);
/* What its link must be after the one before it. */
void ledger_link(const uint8_t before[LEDGER_LINK], const struct ledger_row *row,
		 uint8_t ret[LEDGER_LINK]);
void ledger_text(uint64_t seq, const uint8_t link[LEDGER_LINK], char ret[LEDGER_TEXT_MAX]);
/* Of the alert's row as it is now; -ENOENT: there is none. */
int ledger_digest(struct store *s, const char *id, uint8_t ret[LEDGER_LINK]);
/* The last entry that was trimmed (number and link), or zeros. */
int ledger_begin(struct store *s, struct ledger_row *ret);

#endif
