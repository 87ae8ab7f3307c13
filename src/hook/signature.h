/*
 * What a hook tells about itself: whose it is, whether it was edited since it was written, and what
 * it keeps in people's shells.
 *
 * Two of its first lines tell our files from others: the first holds HOOK_SIGNATURE, and a later
 * one is HOOK_DIGEST with a digest of the whole text. In the digest the prefix's own path counts as
 * a mark that stands for it wherever it is: conda writes the new path in its place when it clones,
 * renames or unpacks an environment, and such a copy is still as we wrote it.
 */
#pragma once

#include "base/error.h"
#include "section/vars.h"

#define HOOK_SIGNATURE "Written by conda-gpu "
#define HOOK_DIGEST    "# conda-gpu digest "
/* What a template's @digest@ is until signature_sign puts the digest there. */
#define HOOK_UNSIGNED "0000000000000000"

/* Before the 8 digits that make the state of one environment's hooks its own. */
#define STATE_PREFIX "__CONDA_GPU_"

/* What hooks of any environment made of CUDA_VISIBLE_DEVICES last: the job (see job_identify); then
   ":" and the value, nothing if they unset it. Where that is the job and the value, it is ours. */
#define VISIBLE_STATE STATE_PREFIX "VISIBLE"

enum hook_owner { OWNER_US, OWNER_US_EDITED, OWNER_OTHER };

/* Writes the digest into the text of a hook for this prefix. `name` is the template's, for the
   error where one of the two lines is missing. */
int signature_sign(struct strbuf *text, const char *prefix, const char *name, struct error *err);

/* Who wrote this text, which was found in this prefix: a hook of ours as it left the program, or
   one that was edited since, or somebody else's file. */
enum hook_owner signature_owner(const char *text, size_t length, const char *prefix);

/* What a deactivation hook tells without a receipt: adds the names that it gives back, and copies
   its key. Ends at MANAGED_LIMIT names. 1: done; 0, with nothing changed: the text holds no key;
   -1: memory ran out. */
int signature_recall(const char *text, struct names *managed, char key[STATE_KEY_SIZE]);
