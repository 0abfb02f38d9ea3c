/* SPDX-License-Identifier: Apache-2.0 */
/* One call on the control socket: a line out, a line back. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/ctl/ctl.h"
#include "platform/base/err.h"

#define ANSWER_MAX (4u << 20)
#define ANSWER_S 75 /* longer than the longest that a call may take (cores over_ms) */
#define PAGES_MAX 100000

/* A name before '=' that could be a parameter's: "sip:a@b;x=y" has none. */
static size_t key_length(const char *arg)
{
	size_t n = 0;

	while (islower((unsigned char)arg[n]) || isdigit((unsigned char)arg[n]) || arg[n] == '_')
		n++;
	return arg[n] == '=' ? n : 0;
}

static json_t *typed(const char *value)
{
	char *end;
	long long n;

	if (strncmp(value, "s:", 2) == 0)
		return json_string(value + 2);
	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
		return json_boolean(value[0] == 't');
	errno = 0;
	n = strtoll(value, &end, 10);
	/* leading zeros, signs and blanks are not how a number is written: 0800 is somebody's name */
	if (errno == 0 && end != value && *end == '\0' && isdigit((unsigned char)value[0]) &&
	    (value[0] != '0' || value[1] == '\0'))
		return json_integer(n);
	return json_string(value);
}

json_t *ctl_params(const struct ctl *c)
{
	json_t *params = NULL;
	int named = 0;

	for (int i = 0; i < c->n_args; i++)
		named += key_length(c->arg[i]) > 0;
	if (named != 0 && named != c->n_args)
		return NULL;
	params = named ? json_object() : json_array();
	for (int i = 0; i < c->n_args; i++) {
		size_t n = key_length(c->arg[i]);
		json_t *v = typed(c->arg[i] + (n ? n + 1 : 0));
		char key[64];

		if (n >= sizeof(key) || v == NULL) { /* not UTF-8, or no such name can be */
			json_decref(v);
			json_decref(params);
			return NULL;
		}
		memcpy(key, c->arg[i], n);
		key[n] = '\0';
		if (named)
			json_object_set_new(params, key, v);
		else
			json_array_append_new(params, v);
	}
	return params;
}

/* ret descriptor · minus an exit code, with the reason said */
static int connect_to(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = ANSWER_S};
	int fd, err;

	if (strlen(path) >= sizeof(at.sun_path)) {
		fprintf(stderr, "sluicectl: %s: longer than the path of a socket may be\n", path);
		return -CTL_USAGE;
	}
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				 sizeof(patience)); /* else for ever */
		return fd;
	}
	err = errno;
	if (fd >= 0)
		close(fd);
	if (err == EACCES || err == EPERM) {
		fprintf(stderr,
			"sluicectl: %s: no right to it; run as root or as a member of its group\n",
			path);
		return -EXIT_NO_RIGHT;
	}
	fprintf(stderr,
		"sluicectl: %s: %s\n  Is sluice-control running? Another place: --socket PATH or "
		"SLUICE_SOCKET (run_dir of the configuration).\n",
		path,
		err == ENOENT ? "there is no such socket"
		: err == ECONNREFUSED
			? "nobody listens there (left over from a process that was killed)"
			: strerror(err));
	return -EXIT_NO_DEVICE;
}

static bool send_all(int fd, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, s, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		s += k;
		n -= (size_t)k;
	}
	return true;
}

/* The line that comes back, without its end; free() it. NULL: none, errno says why (0: closed) */
static char *receive_line(int fd)
{
	char *line = malloc(ANSWER_MAX);
	size_t len = 0;

	errno = 0;
	while (line != NULL && len < ANSWER_MAX) {
		ssize_t n = recv(fd, line + len, ANSWER_MAX - len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (line[len - 1] == '\n') {
			line[len - 1] = '\0';
			return line;
		}
	}
	free(line);
	return NULL;
}

/* The whole answer as JSON, or NULL with the reason said. */
static json_t *ask(int fd, const char *name, json_t *params)
{
	json_t *request = json_pack("{ss ss sO si}", "jsonrpc", "2.0", "method", name, "params",
				    params, "id", 1);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL, *line = NULL;
	json_t *answer = NULL;
	json_error_t e;

	if (text == NULL)
		fprintf(stderr, "sluicectl: %s: not UTF-8\n", name);
	else if (!send_all(fd, text, strlen(text)) || !send_all(fd, "\n", 1) ||
		 (line = receive_line(fd)) == NULL)
		fprintf(stderr, "sluicectl: no answer: %s\n",
			errno == EAGAIN ? "it took too long"
			: errno		? strerror(errno)
					: "the connection was closed");
	else if ((answer = json_loads(line, JSON_ALLOW_NUL, &e)) == NULL || !json_is_object(answer))
		fprintf(stderr, "sluicectl: the answer is no JSON object\n");
	free(text);
	free(line);
	json_decref(request);
	return answer;
}

static int print_error(const json_t *error)
{
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *data = json_string_value(json_object_get(error, "data"));

	fprintf(stderr, "sluicectl: %s (%lld)%s%s\n", message ? message : "error",
		(long long)json_integer_value(json_object_get(error, "code")), data ? ": " : "",
		data ? data : "");
	return 1;
}

static int print_answer(const struct ctl *c, const char *name, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");

	if (result == NULL)
		return print_error(json_object_get(answer, "error"));
	if (c->json) {
		json_dumpf(result, stdout, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else {
		view_print(name, result);
	}
	/* what the audit finds is the answer to the question that was asked */
	return strcmp(name, "audit") == 0 && json_is_false(json_object_get(result, "ok"));
}

/* ret exit code; next: where the next page begins, or -1 */
static int call_once(const struct ctl *c, int fd, const char *name, json_t *params,
		     json_int_t *next)
{
	json_t *answer = ask(fd, name, params), *from;
	int code = answer ? print_answer(c, name, answer) : EXIT_NO_DEVICE;

	from = json_object_get(json_object_get(answer, "result"), "next");
	*next = json_is_integer(from) ? json_integer_value(from) : -1;
	json_decref(answer);
	return code;
}

int ctl_call(const struct ctl *c, const char *name)
{
	json_t *params = ctl_params(c);
	json_int_t next = -1;
	int fd, code;

	if (params == NULL || (c->all && json_array_size(params) > 0)) {
		fprintf(stderr, "sluicectl: give arguments all in order, or all as name=value "
				"(--all: the latter)\n");
		json_decref(params);
		return CTL_USAGE;
	}
	fd = connect_to(c->socket);
	if (fd < 0) {
		json_decref(params);
		return -fd;
	}
	code = call_once(c, fd, name, params, &next);
	for (int page = 0; c->all && code == 0 && next >= 0 && page < PAGES_MAX; page++) {
		if (json_is_array(params)) {
			json_decref(params);
			params = json_object();
		}
		json_object_set_new(params, "from", json_integer(next));
		code = call_once(c, fd, name, params, &next);
	}
	if (next >= 0 && !c->json && !c->all)
		printf("more: from=%lld, or --all\n", (long long)next);
	json_decref(params);
	close(fd);
	return code;
}
