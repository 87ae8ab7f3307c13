/*
 * Which of the free cards a claim takes next: exec's --prefer.
 */
#pragma once

#include "gpu/claim.h"

/* The best of those that are free and not chosen yet; NULL: there is none. */
struct claim_card *prefer_best(struct claim *claim, const struct claim_wish *wish);
