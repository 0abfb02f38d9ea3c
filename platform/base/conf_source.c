/* SPDX-License-Identifier: Apache-2.0 */
/* Files -> one text for libconfig, and complaints that name the line an operator has to mend.
 *
 * libconfig could include files by itself. It is not asked to, because it looks for them in one
 * folder only, ends the process on a folder in place of a file, and because three more things it
 * does to its input would keep us from telling the truth about it: it takes 4294967297 for 1; it
 * stops at the first key that stands twice; it stops at a zero octet. So the text it gets is made
 * here, line by line, with a scanner that knows words, numbers, strings and comments:
 *   - `@include "x"` at the start of a line is replaced by the lines of x, which is sought in the
 *     folder of the file that includes it;
 *   - a number that an int cannot hold is written as a 64-bit one, clipped to that;
 *   - comments go;
 *   - a key gets a number behind '*', which libconfig allows in names: `id` becomes `id*7`, so that
 *     all keys differ, and conf.c, which takes it off again, can complain about each double.
 * Line n of the text is then looked up in a list of runs: from here on, file f from line m on. */
#include "platform/base/conf_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define COMPLAINT_BYTES 640 /* of one line, file name included */

enum lexer { PLAIN, STRING, COMMENT };

struct level { /* one file that is being read                     */
	char *bytes;
	uint32_t len, at; /* at: start of the next line                      */
	uint32_t file;	  /* index into names                                 */
	uint32_t line;	  /* number of the next line                          */
};
struct run {
	uint32_t first;	     /* line of the text                                 */
	uint32_t file, line; /* what it is there                            */
};
struct conf_source {
	char *text;
	uint32_t len, cap;
	uint32_t lines; /* ended so far                                     */
	uint32_t words; /* keys numbered so far                             */
	int err;	/* sticky: no memory, text too long                 */
	enum lexer lexer;
	struct conf_place opened; /* where the string or comment we are in began */
	uint32_t n_names, n_runs, depth;
	char *names[CONF_FILES_MAX];
	struct run runs[2 * CONF_FILES_MAX]; /* one where a file starts, one behind it */
	struct level level[CONF_DEPTH_MAX];
};

void conf_complain(struct conf_report *r, struct conf_place at, const char *fmt, ...)
{
	char line[COMPLAINT_BYTES];
	va_list args;
	size_t n, room;

	r->complaints++;
	snprintf(line, sizeof(line) / 2, "%s:%u: ", at.file, at.line);
	n = strlen(line);
	va_start(args, fmt);
	vsnprintf(line + n, sizeof(line) - n - 1, fmt, args);
	va_end(args);
	n = strlen(line);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	room = sizeof(r->text) - r->len;
	if (n >= room)
		return;
	memcpy(r->text + r->len, line, n);
	r->len += (uint32_t)n;
	r->text[r->len] = '\0';
}

/* Text out. */

static void put(struct conf_source *s, const char *bytes, uint32_t n)
{
	if (s->err != 0)
		return;
	if (s->len + n >= s->cap) {
		uint32_t cap = 2 * (s->len + n) + 4096;
		char *text = s->len + n > CONF_SOURCE_MAX ? NULL : realloc(s->text, cap);

		if (text == NULL) {
			s->err = s->len + n > CONF_SOURCE_MAX ? -EFBIG : -ENOMEM;
			return;
		}
		s->text = text;
		s->cap = cap;
	}
	if (n > 0)
		memcpy(s->text + s->len, bytes, n);
	s->len += n;
	s->text[s->len] = '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	char low = ascii_lower(c);

	return low >= 'a' && low <= 'z';
}

static bool in_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '*';
}

/* A key, or true or false. */
static uint32_t put_word(struct conf_source *s, struct str in)
{
	char tag[12];
	uint32_t n = 0;

	while (n < in.len && in_word(in.s[n]))
		n++;
	in.len = n;
	put(s, in.s, n);
	if (!str_ieq(in, STR("true")) && !str_ieq(in, STR("false"))) {
		int tag_len = snprintf(tag, sizeof(tag), "*%u", ++s->words);

		put(s, tag, (uint32_t)tag_len);
	}
	return n;
}

/* Value of an integer as libconfig writes them (decimal or 0x..., with or without L), clipped. */
static bool integer_value(struct str token, uint64_t *value)
{
	while (token.len > 0 && token.s[token.len - 1] == 'L')
		token.len--;
	if (token.len > 2 && str_istarts_with(token, STR("0x"))) {
		*value = 0;
		for (uint32_t i = 2; i < token.len; i++) {
			char c = ascii_lower(token.s[i]);

			if (!is_digit(c) && (c < 'a' || c > 'f'))
				return false;
			if (*value <= INT64_MAX / 16)
				*value = *value << 4 |
					 (uint64_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
			else
				*value = INT64_MAX;
		}
		return true;
	}
	switch (str_to_u64(token, INT64_MAX, value)) {
	case 0:
		return true;
	case -E_RANGE:
		*value = INT64_MAX;
		return true;
	default:
		return false;
	}
}

static uint32_t put_number(struct conf_source *s, struct str in)
{
	char wide[24];
	uint32_t n = 0;
	uint64_t value;

	while (n < in.len && (is_digit(in.s[n]) || is_letter(in.s[n]) || in.s[n] == '.'))
		n++;
	in.len = n;
	if (integer_value(in, &value) && value > INT32_MAX) {
		int wide_len = snprintf(wide, sizeof(wide), "%lluL", (unsigned long long)value);

		put(s, wide, (uint32_t)wide_len);
	} else {
		put(s, in.s, n);
	}
	return n;
}

/* One token, or one octet, outside strings and comments. ret octets used */
static uint32_t put_plain(struct conf_source *s, struct str in)
{
	char c = in.s[0];

	if (is_letter(c) || c == '*')
		return put_word(s, in);
	if (is_digit(c) || c == '.')
		return put_number(s, in);
	if (c == '#' || str_starts_with(in, STR("//")))
		return in.len;
	if (str_starts_with(in, STR("/*"))) {
		s->lexer = COMMENT;
		put(s, " ", 1);
		return 2;
	}
	if (c == '"')
		s->lexer = STRING;
	put(s, in.s, 1);
	return 1;
}

static uint32_t put_in_string(struct conf_source *s, struct str in)
{
	uint32_t n = in.s[0] == '\\' && in.len > 1 ? 2 : 1;

	if (in.s[0] == '"')
		s->lexer = PLAIN;
	put(s, in.s, n);
	return n;
}

static uint32_t skip_in_comment(struct conf_source *s, struct str in)
{
	if (!str_starts_with(in, STR("*/")))
		return 1;
	s->lexer = PLAIN;
	return 2;
}

static void put_line(struct conf_source *s, struct str line, struct conf_place at)
{
	uint32_t n = 0;

	while (n < line.len) {
		struct str in = str_sub(line, n, line.len - n);
		enum lexer before = s->lexer;

		n += before == PLAIN	? put_plain(s, in)
		     : before == STRING ? put_in_string(s, in)
					: skip_in_comment(s, in);
		if (before == PLAIN && s->lexer != PLAIN)
			s->opened = at;
	}
	put(s, "\n", 1);
	s->lines++;
}

/* Files in. */

/* The whole of a regular file, into *bytes (to be freed). ret 0 · -errno */
static int load(const char *path, char **bytes, uint32_t *len)
{
	struct stat st;
	ssize_t got = 0;
	int err = 0;
	/* O_NONBLOCK: a pipe without a writer is refused below, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*len = 0;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else if (st.st_size > CONF_SOURCE_MAX)
		err = -EFBIG;
	else if ((*bytes = malloc((size_t)st.st_size + 1)) == NULL)
		err = -ENOMEM;
	while (err == 0 && *len < (size_t)st.st_size) {
		got = read(fd, *bytes + *len, (size_t)st.st_size - *len);
		if (got <= 0)
			break;
		*len += (uint32_t)got;
	}
	if (err == 0 && got < 0)
		err = -errno;
	close(fd);
	return err;
}

/* From the next line of the text on, the lines of the file on top are read. */
static void start_run(struct conf_source *s)
{
	const struct level *top = &s->level[s->depth - 1];

	s->runs[s->n_runs++] = (struct run){s->lines + 1, top->file, top->line};
}

/* Start with a file. ret 0 · -E_TOO_MANY · -errno */
static int push(struct conf_source *s, const char *path)
{
	struct level *l = &s->level[s->depth];
	int err;

	if (s->depth == CONF_DEPTH_MAX || s->n_names == CONF_FILES_MAX)
		return -E_TOO_MANY;
	memset(l, 0, sizeof(*l));
	err = load(path, &l->bytes, &l->len);
	if (err != 0) {
		free(l->bytes);
		return err;
	}
	l->file = s->n_names;
	l->line = 1;
	s->depth++;
	s->names[s->n_names] = strdup(path);
	if (s->names[s->n_names++] == NULL)
		return -ENOMEM;
	start_run(s);
	return 0;
}

static void pop(struct conf_source *s)
{
	free(s->level[--s->depth].bytes);
	if (s->depth > 0)
		start_run(s);
}

/* `@include "name"`, with nothing behind it but a comment. ret 1 · 0 another line · -E_MALFORMED */
static int parse_include(struct str line, struct str *name)
{
	struct str rest = str_trim(line);

	if (!str_starts_with(rest, STR("@include")))
		return 0;
	rest = str_trim(str_sub(rest, 8, rest.len));
	if (rest.len == 0 || rest.s[0] != '"' ||
	    !str_split(str_sub(rest, 1, rest.len), '"', name, &rest) || name->len == 0)
		return -E_MALFORMED;
	rest = str_trim(rest);
	return rest.len == 0 || rest.s[0] == '#' || str_starts_with(rest, STR("//")) ? 1
										     : -E_MALFORMED;
}

static void include(struct conf_source *s, struct str name, struct conf_place at,
		    struct conf_report *r)
{
	char path[PATH_BYTES];
	const char *slash = strrchr(at.file, '/');
	int folder = slash != NULL && name.s[0] != '/' ? (int)(slash - at.file) + 1 : 0;
	int n = snprintf(path, sizeof(path), "%.*s%.*s", folder, at.file, STR_FMT(name));
	int err = n < (int)sizeof(path) ? push(s, path) : -ENAMETOOLONG;

	if (err == -E_TOO_MANY)
		conf_complain(r, at,
			      "too many files: %d at most, %d deep; is there a circle of "
			      "@include?",
			      CONF_FILES_MAX, CONF_DEPTH_MAX);
	else if (err != 0)
		conf_complain(r, at, "cannot include \"%s\": %s", path, err_text(err));
}

/* One line of the file on top. */
static void step(struct conf_source *s, struct conf_report *r)
{
	struct level *l = &s->level[s->depth - 1];
	struct str line, name, left = str_of(l->bytes + l->at, l->len - l->at);
	struct conf_place at = {s->names[l->file], l->line};
	int kind = 0;

	(void)str_split(left, '\n', &line, &left); /* false: a last line without an end */
	l->at += line.len < l->len - l->at ? line.len + 1 : line.len;
	l->line++;
	if (str_find(line, '\0') >= 0)
		conf_complain(r, at, "a zero octet: this is not a text file");
	if (s->lexer == PLAIN)
		kind = parse_include(line, &name);
	if (kind > 0)
		include(s, name, at, r);
	else if (kind < 0)
		conf_complain(r, at, "write @include \"file\", alone in its line");
	else
		put_line(s, line, at);
}

static void end_file(struct conf_source *s, struct conf_report *r)
{
	if (s->lexer != PLAIN)
		conf_complain(r, s->opened, "the %s that begins here does not end in this file",
			      s->lexer == STRING ? "text" : "comment");
	s->lexer = PLAIN;
	pop(s);
}

int conf_source_read(const char *path, struct conf_report *r, struct conf_source **out)
{
	struct conf_source *s = calloc(1, sizeof(*s));
	uint32_t complaints = r->complaints;
	int err;

	*out = s;
	if (s == NULL)
		return -ENOMEM;
	err = push(s, path);
	while (err == 0 && s->depth > 0) {
		const struct level *l = &s->level[s->depth - 1];

		if (l->at < l->len)
			step(s, r);
		else
			end_file(s, r);
		err = s->err;
	}
	put(s, "", 0);
	if (err != 0) {
		conf_complain(r, (struct conf_place){path, 0}, "cannot be read: %s", err_text(err));
		return err;
	}
	return s->err != 0 ? s->err : r->complaints > complaints ? -E_MALFORMED : 0;
}

void conf_source_free(struct conf_source *s)
{
	if (s == NULL)
		return;
	while (s->depth > 0)
		free(s->level[--s->depth].bytes);
	for (uint32_t i = 0; i < s->n_names; i++)
		free(s->names[i]);
	free(s->text);
	free(s);
}

const char *conf_source_text(const struct conf_source *s)
{
	return s->text;
}

struct conf_place conf_source_place(const struct conf_source *s, uint32_t line)
{
	uint32_t i = s->n_runs;

	if (line == 0)
		return (struct conf_place){s->names[0], 0};
	while (i > 1 && s->runs[i - 1].first > line)
		i--;
	return (struct conf_place){s->names[s->runs[i - 1].file],
				   s->runs[i - 1].line + (line - s->runs[i - 1].first)};
}
