/*
 * The files that `export --output` keeps for an environment, as its receipt lists them: apply
 * renews them, remove takes our part out.
 */
#pragma once

#include "cli/cli.h"
#include "conda/receipt.h"
#include "export/export.h"

/* Writes them, or only looks, and prints what becomes of each; without a plan our part is taken
   out. A file from which somebody took our part is left alone, with a note; receipt may be NULL. 1
   if one was not as the plan has it, else 0; -1 if any of them could not be done; the others are.
 */
int kept_renew(const struct receipt *receipt, const struct exported *what, bool looks_only,
               struct error *err);

/* Has the receipt list a file. */
int kept_add(const struct prefix *prefix, const char *path, const char *format, struct error *err);
