/*
 * A plan in the words of a shell: the text of one hook, filled in from its template. Pure. A
 * template (template.h) finds:
 *
 *     @environment@ @source@ @version@    whose hook it is, of which file, and of which conda-gpu
 *     @file@            "env_vars.sh"
 *     @digest@          what tells an edited hook from ours; see HOOK_DIGEST
 *     @state@           how names of kept state begin: "__CONDA_GPU_1234abcd"
 *     @each devices@    of the plan: @ordinal@ @number@ @name@ @memory@ @address@ @uuid@
 *     @each no_devices@ once, if the plan hides every GPU
 *     @each all_devices@ once, if it shows every GPU of whatever machine it is
 *     @each unconfirmed@ once, if no driver has seen the devices: @visible@
 *     @each keep@       once, with `in_job: keep`
 *     @count@           how many variables the plan has
 *     @each variables@  of the plan: @name@, and one of @each set@ (@value@), @each unset@,
 *                       @each prepend@ and @each append@ (@value@ @separator@), which are also in:
 *       @each keep@     CUDA_VISIBLE_DEVICES, where a job's own value stands
 *       @each always@   any other
 *       @each visible@  CUDA_VISIBLE_DEVICES
 *     @each managed@    every variable that any generation of the hooks managed: @name@, and
 *                       @each visible@
 *     @each former@     those of them that are not in the plan: @name@
 *
 * Values and separators are quoted for the shell; names need no quotes.
 */
#ifndef CONDA_GPU_RENDER_H
#define CONDA_GPU_RENDER_H

#include "hook/shell.h"
#include "plan/plan.h"

/* Before the 8 digits that make the state of one environment's hooks its own. */
#define STATE_PREFIX "__CONDA_GPU_"

/* Both stand in the first lines of every hook and tell our files from others. */
#define HOOK_SIGNATURE "Written by conda-gpu "
#define HOOK_DIGEST    "# conda-gpu digest "

struct render {
    const struct plan *plan;
    const struct names *managed; /* every variable that any generation of these hooks managed */
    const char *key;             /* STATE_KEY_SIZE */
    const char *environment;     /* its name, of any bytes */
    const char *source;          /* the file's name, of any bytes, or "a pipe" */
    const char *version;
};

/* Appends the text of a hook: the template with this plan filled in. Errors of the template name it
   and their line. */
int render_hook(struct strbuf *out, const struct render *in, const struct shell *shell,
                const char *template_name, const char *template_text, struct error *err);

enum hook_owner { OWNER_US, OWNER_US_EDITED, OWNER_OTHER };

/* Who wrote this text: a hook of ours as it left the program, one that was edited since, or a file
   of somebody else's. */
enum hook_owner render_owner(const char *text, size_t length);

/* What the hook of an earlier run tells without a receipt: adds the names that it manages, and
   copies its key. Ends at MANAGED_LIMIT names. 1: done; 0, with nothing changed but names added:
   the text holds no state; -1: memory ran out. */
int render_recall(const char *text, struct names *managed, char key[STATE_KEY_SIZE]);

#endif
