/*
 * A plan in the words of other programs, where hooks do not reach: a table of formats, each in a
 * file of its own. Pure.
 *
 *     const struct format *format = format_find("dotenv", &err);
 *     const struct exported what = {.plan = &plan, .prefix = "/opt/envs/pt", .env = environ};
 *     format->print(&out, &what, &err);
 *
 * Each quotes by its target's rules, and what the target cannot hold is STATUS_INPUT: values of
 * other bytes than it takes, and, where it has only fixed values, prepend, append and null.
 */
#pragma once

#include "base/env.h"
#include "base/error.h"
#include "plan/plan.h"

struct exported {
    const struct plan *plan; /* NULL: nothing, to take our part out of a file (keep.h) */
    const char *environment; /* its name */
    const char *prefix;      /* what ${CONDA_PREFIX} stands for */
    char *const *env;        /* and ${HOME}, ${USER} */
};

struct keep;

struct format {
    const char *name;
    int (*print)(struct strbuf *out, const struct exported *what, struct error *err);
    /* Of a format that files are kept in (keep.h), else NULL: makes keep->text of keep->found;
       without a plan our part goes. And the prefix for which a text has a part, malloc'ed, or NULL.
     */
    int (*merge)(struct keep *keep, const struct exported *what, struct error *err);
    char *(*owner)(const struct strbuf *text);
};

extern const struct format *const formats[];
extern const size_t format_count;

/* NULL, with the known ones in the error, where there is none of this name. */
const struct format *format_find(const char *name, struct error *err);

/* ---- For the formats ------------------------------------------------------------------------- */

extern const struct format sh_format, fish_format, dotenv_format, systemd_format, jupyter_format,
    docker_format, cdi_format, json_format;

/* A value or a separator with ${CONDA_PREFIX} and the like replaced; malloc'ed, NULL where memory
   ran out. */
char *export_expand(const struct exported *what, const char *text);

/* Adds an error: this format cannot hold the variable. `why` ends the sentence. */
int export_refuse(const char *format, const struct var *var, const char *why, struct error *err);

/* The value of a variable for a format that holds nothing but UTF-8 text and fixed values,
   malloc'ed. 1; 0 without a value: that all GPUs are visible is said by leaving the variable out;
   -1 with the error set. */
int export_fixed(char **value, const char *format, const struct exported *what,
                 const struct var *var, struct error *err);

/* Adds the planned devices, with `between` between them, by UUID; as the plan names them where no
   driver has told their UUIDs. `each` stands before every one. */
void export_uuids(struct strbuf *out, const struct plan *plan, const char *each,
                  const char *between);

/* Whether a value has a control character that is not among these. */
bool export_has_control(const char *value, const char *but);
