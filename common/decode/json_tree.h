/*
 * json_tree: one JSON object of any shape as a flat list of its values, each with its parent.
 * Internal to decode/.
 *
 * Bounded: at most JSON_NODES_MAX values (the rest is left out and `cut` set), nested at most
 * JSON_DEPTH_MAX deep (what is deeper is an error of a tree; a walk passes it over and says so).
 * Cannot tell a number from a word.
 *
 * Example: {"a":{"b":1},"c":["x"]} gives a (object), b = 1 in a, c (array), "" = x in c.
 */
#ifndef OUTERGATE_DECODE_JSON_TREE_H
#define OUTERGATE_DECODE_JSON_TREE_H

#include "json_text.h"

#define JSON_DEPTH_MAX 32
#define JSON_NODES_MAX 256 /* an exported Windows event has 40 to 80 */
#define JSON_NO_NODE   UINT16_MAX

struct json_node {
	struct span name;  /* of a member; empty in an array and of the root */
	struct span value; /* of a leaf, unescaped; null is empty */
	uint16_t parent;   /* index; JSON_NO_NODE: the root's, or one that was left out */
	char type;	   /* '{', '[', '"' or 'w' (a number or a word) */
};

struct json_tree {
	struct json_node nodes[JSON_NODES_MAX]; /* [0] is the root; in the order of the text */
	unsigned count;
	bool cut;
};

/* Where a value is: what is open around it, outermost first. */
struct json_path {
	unsigned depth;
	struct span names[JSON_DEPTH_MAX]; /* empty of the root and of an array's elements */
	char types[JSON_DEPTH_MAX];	   /* '{' or '[' */
};

/*
 * Calls visit for every value of the object that begins at j, and for every object and array where
 * it begins; as many as there are. Ends behind it. NULL, or why it is no object; what came before
 * that has been visited, of a string that was cut short what is there.
 *
 * enter (NULL: always) is asked after that of an object or array: is anything in it wanted? What is
 * not is read as strictly, and nobody is told of it.
 */
struct json_visitor {
	void (*visit)(void *arg, const struct json_path *p, struct span name, struct span value,
		      char type);
	void *arg;
	bool (*enter)(void *arg, const struct json_path *p, struct span name, char type);
};
const char *json_walk(struct json *j, struct json_visitor v);
/* To the end of the object that begins here; false: it is cut or malformed. */
bool json_pass(struct json *j);

/*
 * Is the value there? "HostConfig.Devices[].PathOnHost", counted from what is open at `from` (1:
 * the members of the root). Names of fold = true are told apart as Go's encoding/json does.
 */
bool json_path_is(const struct json_path *p, unsigned from, struct span name, const char *pattern,
		  bool fold);

/* fold: as Go's encoding/json tells names apart. */
bool json_name_is(struct span name, struct span wanted, bool fold);

/* NULL, or a static text that says why it is no object. */
const char *json_tree_read(struct json *j, struct json_tree *ret);

/* The parent of a node; NULL when there is none. */
const struct json_node *json_parent(const struct json_tree *t, const struct json_node *n);

/* The first leaf of that name directly in the root; empty when there is none. */
struct span json_root_value(const struct json_tree *t, const char *name);

#endif
