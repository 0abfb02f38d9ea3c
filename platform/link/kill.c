/* SPDX-License-Identifier: Apache-2.0 */
/* Kill points, test builds only: die without a trace at the n-th point passed.
 *
 * Control and count live in a page shared with the test's parent, so that what was passed is known
 * after the death. */
#include "platform/link/kill.h"
#include "platform/base/str.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

struct kill_board *kill_board;
enum kill_break kill_broken;
bool kill_armed;

void kill_board_new(void)
{
	kill_board = mmap(NULL, sizeof(*kill_board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);
	if (kill_board == MAP_FAILED)
		_exit(71);
}

static struct kill_name *kill_find(const char *name)
{
	for (unsigned i = 0; i < KILL_NAMES_MAX; i++) {
		struct kill_name *k = &kill_board->name[i];

		if (k->text[0] == '\0')
			(void)str_to_c(str_from_c(name), k->text, sizeof(k->text));
		if (str_eq(str_from_c(k->text), str_from_c(name)))
			return k;
	}
	_exit(70); /* more points than the board has room for: raise KILL_NAMES_MAX */
}

void kill_point(const char *name)
{
	struct kill_name *k;

	if (kill_board == NULL || !kill_armed)
		return;
	k = kill_find(name);
	k->passed++;
	if (++kill_board->passed == kill_board->die_at) {
		k->died++;
		(void)kill(getpid(), SIGKILL);
	}
}
