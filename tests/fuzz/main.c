/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over its corpus where there is no libFuzzer, as an ordinary test.
 *
 *	fuzz_x [-seed=N] [-mutations=N] folder-or-file ...
 *
 * For each file: the file itself, every proper prefix of it, and N (200) mutations, each a copy
 * with one to four edits: a bit turned, an octet replaced, put in, taken out, or a run doubled. All
 * inputs end right before a forbidden page. The mutations of a file depend on the seed and on the
 * file's own bytes, not on its name or its neighbours, so a failure stays the same when the corpus
 * grows; the line printed at a crash names file, kind and number, which is all that is needed to
 * see it again.
 *
 * No file at all is a failure: a test that lost its corpus must not pass. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/guard.h"

#define FILE_BYTES_MAX 65536 /* keeps "every prefix" within seconds */
#define FILES_MAX 4096
#define EDITS_MAX 4
#define RUN_MAX 16 /* bytes that one edit doubles */
#define INPUT_BYTES_MAX (FILE_BYTES_MAX + EDITS_MAX * RUN_MAX)
#define MUTATIONS 200
#define NAME_BYTES_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Both may be missing: a target without set-up, a build without a sanitizer. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
__attribute__((weak)) void __sanitizer_set_death_callback(void (*fn)(void));

struct runner {
	struct guard room;
	uint64_t seed, n_mutations;
	uint64_t n_files, n_inputs;
	uint64_t random; /* state of the generator, started anew for each file */
};

/* What runs now, for the line at a crash. */
static struct {
	const char *file, *kind;
	uint64_t number;
} now;

static const uint8_t telling[] = { 0,   ' ', '\t', '\r', '\n', ',',  ';', ':', '<',
				   '>', '"', '\\', '%',  '(',  ')',  '@', '=', '[',
				   ']', '?', '/',  '9',  0x7f, 0x80, 0xff };

static void say_where(void)
{
	char line[NAME_BYTES_MAX + 128];
	int n = snprintf(line, sizeof(line), "fuzz: died in %s, %s %llu\n",
			 now.file ? now.file : "?", now.kind ? now.kind : "?",
			 (unsigned long long)now.number);

	if (n > 0 && write(STDERR_FILENO, line, strnlen(line, sizeof(line))) < 0) {
		/* the signal itself is report enough */
	}
}

static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTERM };
#define N_FATAL (sizeof(fatal) / sizeof(fatal[0]))
static struct sigaction before[N_FATAL];

/* Puts back what was there (a sanitizer's report, or death) and lets the same thing happen again:
 * a fault by returning to it, abort() by itself, a termination by raising it. */
static void on_fatal(int sig)
{
	say_where();
	for (size_t i = 0; i < N_FATAL; i++)
		(void)sigaction(fatal[i], &before[i], NULL);
	if (sig == SIGTERM)
		(void)raise(sig);
}

static void catch_fatal(void)
{
	struct sigaction action = { .sa_handler = on_fatal, .sa_flags = SA_ONSTACK };

	for (size_t i = 0; i < N_FATAL; i++)
		(void)sigaction(fatal[i], &action, &before[i]);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(say_where);
}

/* splitmix64: full period, and any start is a good one. */
static uint64_t random_next(struct runner *r)
{
	uint64_t z = r->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static size_t random_below(struct runner *r, size_t n)
{
	return (size_t)(random_next(r) % n);
}

static void run_one(struct runner *r, const uint8_t *bytes, size_t len)
{
	int ret = LLVMFuzzerTestOneInput(guard_tail(&r->room, bytes, len), len);

	r->n_inputs++;
	if (ret != 0 && ret != -1) { /* the two that libFuzzer allows */
		fprintf(stderr, "fuzz: the target returned %d\n", ret);
		abort();
	}
}

static size_t insert_run(uint8_t *bytes, size_t len, size_t at, const uint8_t *run, size_t n)
{
	memmove(bytes + at + n, bytes + at, len - at);
	memcpy(bytes + at, run, n);
	return len + n;
}

/* One edit in place; room for RUN_MAX more bytes. ret the new length */
static size_t mutate_once(struct runner *r, uint8_t *bytes, size_t len)
{
	uint8_t octet = random_next(r) & 1 ? telling[random_below(r, sizeof(telling))]
					   : (uint8_t)random_next(r);
	size_t kind = len == 0 ? 2 : random_below(r, 5);
	size_t at = random_below(r, len + (kind == 2));

	if (kind == 0) {
		bytes[at] ^= (uint8_t)(1u << random_below(r, 8));
	} else if (kind == 1) {
		bytes[at] = octet;
	} else if (kind == 2) {
		return insert_run(bytes, len, at, &octet, 1);
	} else if (kind == 3) {
		memmove(bytes + at, bytes + at + 1, len - at - 1);
		return len - 1;
	} else {
		uint8_t run[RUN_MAX];
		size_t n = 1 + random_below(r, RUN_MAX);

		n = n < len - at ? n : len - at;
		memcpy(run, bytes + at, n);
		return insert_run(bytes, len, at, run, n);
	}
	return len;
}

static void run_bytes(struct runner *r, const uint8_t *bytes, size_t len)
{
	static uint8_t copy[INPUT_BYTES_MAX];

	now.kind = "whole file";
	now.number = 0;
	run_one(r, bytes, len);
	now.kind = "prefix of length";
	for (now.number = 0; now.number < len; now.number++)
		run_one(r, bytes, now.number);

	r->random = r->seed;
	for (size_t i = 0; i < len; i++) /* the file's bytes take part in the seed: FNV-1a */
		r->random = (r->random ^ bytes[i]) * 0x100000001b3;
	now.kind = "mutation";
	for (now.number = 0; now.number < r->n_mutations; now.number++) {
		size_t n = len, edits = 1 + random_below(r, EDITS_MAX);

		memcpy(copy, bytes, len);
		while (edits-- > 0)
			n = mutate_once(r, copy, n);
		run_one(r, copy, n);
	}
}

static int run_file(struct runner *r, const char *name)
{
	static uint8_t bytes[FILE_BYTES_MAX + 1];
	FILE *f = fopen(name, "rb");

	if (!f) {
		perror(name);
		return -1;
	}
	size_t len = fread(bytes, 1, sizeof(bytes), f);
	int broken = ferror(f);

	(void)fclose(f); /* was only read */
	if (broken || len > FILE_BYTES_MAX) {
		fprintf(stderr, "%s: %s\n", name, broken ? "cannot be read" : "longer than 64 KiB");
		return -1;
	}
	now.file = name;
	r->n_files++;
	run_bytes(r, bytes, len);
	return 0;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The files of one folder, not of those below it, in the order of their names. */
static int run_folder(struct runner *r, const char *folder)
{
	struct dirent **entry;
	int n = scandir(folder, &entry, not_hidden, alphasort), ret = 0;

	if (n < 0 || n > FILES_MAX) {
		fprintf(stderr, "%s: %s\n", folder, n < 0 ? "cannot be read" : "too many files");
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char name[NAME_BYTES_MAX];
		struct stat st;

		if (snprintf(name, sizeof(name), "%s/%s", folder, entry[i]->d_name) >=
			    NAME_BYTES_MAX ||
		    stat(name, &st) != 0)
			ret = -1;
		else if (S_ISREG(st.st_mode) && run_file(r, name) != 0)
			ret = -1;
		free(entry[i]);
	}
	free(entry);
	return ret;
}

static int run_argument(struct runner *r, const char *arg)
{
	struct stat st;

	if (strncmp(arg, "-seed=", 6) == 0) {
		r->seed = strtoull(arg + 6, NULL, 0);
		return 0;
	}
	if (strncmp(arg, "-mutations=", 11) == 0) {
		r->n_mutations = strtoull(arg + 11, NULL, 0);
		return 0;
	}
	if (stat(arg, &st) != 0) {
		perror(arg);
		return -1;
	}
	return S_ISDIR(st.st_mode) ? run_folder(r, arg) : run_file(r, arg);
}

int main(int argc, char **argv)
{
	struct runner r = { .seed = 1, .n_mutations = MUTATIONS };
	int ret = 0;

	if (LLVMFuzzerInitialize)
		(void)LLVMFuzzerInitialize(&argc, &argv); /* libFuzzer ignores the result too */
	guard_open(&r.room, INPUT_BYTES_MAX);
	catch_fatal();
	for (int i = 1; i < argc; i++)
		if (run_argument(&r, argv[i]) != 0)
			ret = 1;
	printf("fuzz: %llu files, %llu inputs, seed %llu\n", (unsigned long long)r.n_files,
	       (unsigned long long)r.n_inputs, (unsigned long long)r.seed);
	if (r.n_files == 0) {
		fprintf(stderr, "fuzz: no corpus file was given or found\n");
		ret = 1;
	}
	guard_close(&r.room);
	return ret;
}
