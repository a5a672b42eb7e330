/*
 * config_reader: pulls YAML events and stores values by tables of keys. Private to config*.c.
 *
 * There is no tree: the tables drive the descent, so depth, memory and time are bounded by the
 * tables and not by the file. Aliases, anchors and tags are refused where they appear.
 *
 * A reading function is called with the first event of its value current and returns with the
 * last one current: 0, or -EINVAL with the sentence in err.
 */
#ifndef OUTERGATE_CONFIG_READER_H
#define OUTERGATE_CONFIG_READER_H

#include <yaml.h>

#include "config.h"

struct config_reader {
	yaml_parser_t yaml;
	yaml_event_t event;
	const char *name; /* of the file, for messages */
	const char *text; /* whole input, for the line of an encoding error */
	size_t len;
	char *err; /* CONFIG_ERROR_MAX */
	struct config *config;
	uint16_t detection;		       /* the row being read */
	char (*own_examples)[OWN_EXAMPLE_MAX]; /* of Decoders, by its lines; freed at the end */
	uint64_t mode_is_own;		       /* bit a detection: its Mode was written */
};

/* An array in the same struct as its unsigned counter. */
struct config_list {
	size_t count_at, item_size;
	unsigned max;
	bool append; /* shared by several lists: never starts anew */
};

struct config_key {
	const char *name; /* with its path, for messages; the word to write is the last part */
	int (*read)(struct config_reader *r, const struct config_key *k, void *base);
	size_t at;	   /* offset of the value in base */
	uint64_t min, max; /* of numbers */
	size_t cap;	   /* of text, with its NUL */
	bool required;
	const char *const *words;     /* enumerations, in the order of their values; NULL ends */
	const struct config_key *sub; /* keys inside */
	const struct config_list *list;
	/* One item of a list; k->sub are its keys when it is a map. */
	int (*item)(struct config_reader *r, const struct config_key *k, void *item);
};

#define CONFIG_KEYS_MAX 64 /* in one map: a bit each tells which were seen */

int reader_next(struct config_reader *r);
/* "file:line: reason"; the line is that of the current event. Always -EINVAL. */
int reader_fail(struct config_reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "file:line: Key: 'value' is not WANT". */
int reader_fail_value(struct config_reader *r, const struct config_key *k, const char *want);
/* The current event as text; an error when it is a list, a map or nothing at all. */
int reader_scalar(struct config_reader *r, const struct config_key *k, struct span *ret);

int read_map(struct config_reader *r, const struct config_key *k, void *base);
int read_list(struct config_reader *r, const struct config_key *k, void *base);
int read_unsupported(struct config_reader *r, const struct config_key *k, void *base);
int read_bool(struct config_reader *r, const struct config_key *k, void *base);
int read_u32(struct config_reader *r, const struct config_key *k, void *base);
int read_u64(struct config_reader *r, const struct config_key *k, void *base);
int read_port(struct config_reader *r, const struct config_key *k, void *base);
int read_seconds32(struct config_reader *r, const struct config_key *k, void *base);
int read_seconds(struct config_reader *r, const struct config_key *k, void *base);
int read_bytes(struct config_reader *r, const struct config_key *k, void *base);
int read_text(struct config_reader *r, const struct config_key *k, void *base);
int read_path(struct config_reader *r, const struct config_key *k, void *base);
int read_cidr(struct config_reader *r, const struct config_key *k, void *base);
int read_service(struct config_reader *r, const struct config_key *k, void *base);
int read_until(struct config_reader *r, const struct config_key *k, void *base);
/* A day whose first nanosecond counts. */
int read_from(struct config_reader *r, const struct config_key *k, void *base);
/* config_geo.c: a country into char[3], an AS number into uint32_t. */
int item_country(struct config_reader *r, const struct config_key *k, void *item);
int read_fingerprint(struct config_reader *r, const struct config_key *k, void *base);
int item_asn(struct config_reader *r, const struct config_key *k, void *item);
/* An enumeration into an int-sized enum, and a pair of words into a bool. */
int read_word(struct config_reader *r, const struct config_key *k, void *base);
int read_word_bool(struct config_reader *r, const struct config_key *k, void *base);

/* config_forward.c: one of Forwarders */
int item_forwarder(struct config_reader *r, const struct config_key *k, void *item);
extern const struct config_key config_forward_keys[];

/* config_receive.c: one of Receivers */
int item_receiver(struct config_reader *r, const struct config_key *k, void *item);
extern const struct config_key config_receive_keys[];
int item_own(struct config_reader *r, const struct config_key *k, void *item);
extern const struct config_key config_own_keys[];
bool config_own_has(const struct config *c, const char *name);

/* config_hours.c: BusinessHours */
int read_hours(struct config_reader *r, const struct config_key *k, void *base);
int read_days(struct config_reader *r, const struct config_key *k, void *base);
int read_hour_ranges(struct config_reader *r, const struct config_key *k, void *base);
extern const struct config_key config_hours_keys[];

/* config_text.c: text to value; false leaves *ret alone. */
bool config_duration(struct span s, uint64_t *ret_seconds); /* 15m, 900s, 1h, 2d, 1w or seconds */
bool config_bytes(struct span s, uint64_t *ret);	    /* 4096, 64KiB, 256MiB, 1GiB */
unsigned config_distance(struct span a, struct span b);	    /* edits between two words, any case */
/* For a message: at most 40 characters, only printable ASCII. */
#define CONFIG_QUOTE_MAX 44
const char *config_quote(struct span s, char buf[CONFIG_QUOTE_MAX]);

/* config_detect.c */
int read_detections(struct config_reader *r, const struct config_key *k, void *base);
extern const struct config_key config_detection_keys[];

#endif
