/*
 * A plan in the words of a shell: the text of one hook, filled in from its template. Pure. A
 * template (template.h) finds:
 *
 *     @environment@ @source@ @version@    whose hook it is, of which file, and of which conda-gpu
 *     @file@            "env_vars.sh"
 *     @digest@          see signature.h
 *     @state@           how names of kept state begin: "__CONDA_GPU_1234abcd"
 *     @job@             lines that set $__gpu_job: see shell.h
 *     @whom@            ", by user", ", by machine", ...; nothing where no rule decides
 *     @each devices@    of the plan, where it is everybody's: @ordinal@ @number@ @name@
 *                       @memory@ @address@ @uuid@
 *     @each about@      what else is to be said of them: @text@
 *     @each references@ what values ask the shell for, of ${CONDA_PREFIX} and so on: @name@
 *     @each visible@    once, if the plan decides on CUDA_VISIBLE_DEVICES; in it
 *       one of @each nowhere@ @each in_job@ @each if_set@ @each always@, by where a value that
 *                       others gave it stands: nowhere, in jobs, outside of jobs, in both;
 *       @each mixed@    or, if branches differ in that; in it @each modes@, with @patterns@ or
 *                       @else@, and one of those four;
 *       @each stands@   once, unless it stands nowhere
 *     @each decided@    once, if there is a decision; then also
 *       @each by_user@  once, if it asks for the user
 *       @each by_host@  once, if it asks for the machine: @hosts@, those that are served
 *       @each joined@   once, if $WHO is to be @at@ between user and machine, or just the machine
 *       @each picks@    else, for many: once, and in it @each machines@ (@host@), in these
 *                       @each users@ (@patterns@, @else@, @number@ of the branch)
 *     @indent@          within a branch
 *     @each branches@   what applies to whom; in it
 *       @each case@     once, if there is a decision: @patterns@ of $__gpu_who (see
 *                       tell_patterns), @else@ ("else " but for the first), @lines@, @each devices@
 *       @each end@      the same
 *       @each settings@ @name@, @break@ (a space, or the end of a line that would be too long),
 *                       and one of @each set@ (@value@), @each unset@, @each prepend@ and
 *                       @each append@ (@value@ @separator@ @pattern@); @each is_visible@ in that of
 *                       CUDA_VISIBLE_DEVICES
 *     @each lists@      once, if anything is prepended or appended to
 *     @each shown@      once, if any generation of these hooks decided on CUDA_VISIBLE_DEVICES
 *     @each managed@    what any generation set, but for that one: @name@, @break@ (a space, or
 *                       the end of a line where the name is long), and @each prepend@ or
 *                       @each append@ where the plan does, and @each element@ for both;
 *                       @each either@ of these where the branches put in different elements
 *     @each several@    once, if any list has such
 *     @names@ @managed_names@    what the plan sets, and the same, as words, some in a line
 *
 * Values and separators are quoted for the shell; names need no quotes.
 */
#pragma once

#include "hook/decision.h"
#include "hook/shell.h"
#include "plan/plan.h"

struct render {
    const struct decision *decision;
    bool unconfirmed;            /* of the GPUs of some machine, by no driver */
    const struct names *managed; /* every variable that any generation of these hooks managed */
    const char *key;             /* STATE_KEY_SIZE */
    const char *prefix;          /* absolute; only for the digest */
    const char *environment;     /* its name, of any bytes */
    const char *source;          /* the file's name, of any bytes, or "a pipe" */
    const char *version;
};

/* Appends the text of a hook: the template with this plan filled in. Errors of the template name it
   and their line. */
int render_hook(struct strbuf *out, const struct render *in, const struct shell *shell,
                const char *template_name, const char *template_text, struct error *err);
