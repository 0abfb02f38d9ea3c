/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as a table: what conf_keys.def becomes, and what is asked of it.
 *
 * A group of keys fills one record: struct conf itself for `node`, `txn`, ...; one struct conf_port
 * for each element of `ports`. A key names where in its record the value stands, so reading,
 * printing and comparing have no code for any one key. Private to platform/base/conf*.c and tests. */
#pragma once
#include "platform/base/conf.h"

enum conf_group {
	CONF_ROOT,
	CONF_NODE,
	CONF_CORES,
	CONF_MEMORY,
	CONF_LIMITS,
	CONF_TXN,
	CONF_CONTROL,
	CONF_PROXY,
	CONF_REGISTRAR,
	CONF_PORT,
	CONF_INTERFACE,
	CONF_LISTENER,
	CONF_HOST,
	CONF_ROUTE,
	CONF_GROUPS
};

enum conf_kind {
	CONF_K_SECTION,   /* { ... } whose keys fill the same record          */
	CONF_K_TABLE,     /* ( { ... }, ... ), one record each                */
	CONF_K_NUMBER,    /* uint32_t, min..max; the word in `words`: CONF_AUTO */
	CONF_K_BOOL,      /* uint32_t, 0 or 1                                 */
	CONF_K_WORD,      /* uint32_t, min + place of the word in `words`     */
	CONF_K_WORD_TEXT, /* one of `words`, kept as text                     */
	CONF_K_TEXT,
	CONF_K_NAME,      /* text of letters, digits, '-', '_', '.'           */
	CONF_K_PATH,      /* text that starts with '/'                        */
	CONF_K_HOST,      /* host name or address, RFC 3261 §25.1 `host`      */
	CONF_K_IP,
	CONF_K_PREFIX,
	CONF_K_HOSTS,     /* these three: arrays of the ones above            */
	CONF_K_IPS,
	CONF_K_PREFIXES,
	CONF_KINDS
};

struct conf_key {
	uint8_t group;  /* enum conf_group the key stands in                     */
	uint8_t kind;   /* enum conf_kind                                        */
	uint8_t sub;    /* SECTION, TABLE: group of the keys inside              */
	bool required;  /* no default: must stand in the file; an array: >= 1    */
	uint32_t offset, size;   /* of the value in the record, bytes; SECTION: 0 */
	uint32_t count_offset;   /* arrays: of the uint32_t number of elements   */
	uint32_t element;        /* arrays: bytes of one element                 */
	uint32_t def, min, max;  /* of numbers; arrays: max elements             */
	const char *name, *def_text, *words, *unit;
	const char *sentence;
};

extern const struct conf_key conf_keys[];
extern const uint32_t conf_n_keys;

bool conf_key_is_array(const struct conf_key *k);
const struct conf_key *conf_key_find(enum conf_group group, struct str name);
/* The key of the group that name most likely was meant to be, or NULL. */
const struct conf_key *conf_key_nearest(enum conf_group group, struct str name);
/* The SECTION or TABLE key under which the group's keys stand; NULL for the root. */
const struct conf_key *conf_group_key(enum conf_group group);
/* Path of a key from the root: "txn.t1_ms", "interfaces.routes.via". */
void conf_key_path(const struct conf_key *k, struct strbuf *out);
/* Defaults of the group, and of the sections in it, into a record that is all zero. */
void conf_group_defaults(enum conf_group group, void *record);
/* Place of word among words ("a b c"); -E_NOT_FOUND. */
int conf_word_find(const char *words, struct str word);
