/*
 * A decision between many: where a flat list of "USER@HOST" would be long, a shell looks for its
 * machine first, and then among that machine's users only. Each branch is known by its number then.
 */
#pragma once

#include "hook/decision.h"

/* Patterns in all branches; with more of them bash needs most of a millisecond to try them all. */
enum { PICKS_FROM = 100 };

/* Fills decision->picks; with none where there are few. -1 if memory ran out. */
int picks_make(struct decision *decision);

void picks_release(struct picks *picks);
