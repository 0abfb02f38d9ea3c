/* SPDX-License-Identifier: Apache-2.0 */
/* Points at which tests kill a control process: one between any two stores that a successor could
 * find half done. In the product the macro is nothing; test builds count the
 * points passed and die, with no clean-up of any kind, at the chosen one. */
#pragma once
#ifdef LINK_KILL_POINTS
#define KILL_NAMES_MAX 64
#include <stdbool.h>
#include <stdint.h>
struct kill_name {
	char text[24];
	uint64_t passed, died;
};
struct kill_board { /* shared by the test and the process that dies */
	uint64_t passed, die_at; /* die at the die_at-th point passed; 0: never */
	struct kill_name name[KILL_NAMES_MAX];
};
extern struct kill_board *kill_board; /* NULL: nobody dies */
extern bool kill_armed;               /* this process counts points and may die */
void kill_board_new(void);
void kill_point(const char *name);
/* Rules that the simulator may switch off, to see that its runs then fail. */
enum kill_break { KILL_BREAK_NONE, KILL_BREAK_INTENT, KILL_BREAK_RECLAIM };
extern enum kill_break kill_broken;
#define KILL_BROKEN(rule) (kill_broken == (rule))
#define KILL_POINT(name) kill_point(name)
#else
#define KILL_POINT(name) ((void)0)
#define KILL_BROKEN(rule) 0
#endif
