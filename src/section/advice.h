/*
 * Spellings of `devices`, sizes and compute capabilities that people try, and what to write
 * instead. Each is what another tool takes (CUDA_VISIBLE_DEVICES, PyTorch, Docker, Slurm, nvcc) or
 * what a person would guess.
 */
#pragma once

#include "base/strbuf.h"

/* Add what to write in place of a text that is no item, no size and no compute capability: "write
   none to hide every GPU". Nothing for a text that does not tell what is meant. */
void advice_item(struct strbuf *out, const char *text);
void advice_memory(struct strbuf *out, const char *text);
void advice_compute(struct strbuf *out, const char *text);
