/*
 * What a team wrote: the `gpu:` section of environment.yml or of gpu.yml beside it, read and
 * checked, each item with its place so that later errors can name it.
 *
 *     scope(section_release) struct section section = {0};
 *     if (section_read(&section, "environment.yml", text, length, &err) < 0) ...
 *
 * All errors are reported in one call. Keys of environment.yml outside `gpu:` are ignored, as
 * conda's file format asks (CEP 24, "Other keys"), but for `name` and conda's own `variables`.
 *
 * files.h finds and reads the files that a user means.
 */
#pragma once

#include "base/array.h"
#include "base/error.h"
#include "section/item.h"
#include "section/vars.h"

#include <stdbool.h>

enum ids { IDS_INDEX, IDS_UUID };
enum if_no_gpu { IF_NO_GPU_ERROR, IF_NO_GPU_CPU, IF_NO_GPU_UNCONFIRMED };
enum in_job { IN_JOB_KEEP, IN_JOB_OVERRIDE };
enum if_set { IF_SET_OVERRIDE, IF_SET_KEEP };

enum section_given {
    GIVEN_IDS = 1 << 0,
    GIVEN_IF_NO_GPU = 1 << 1,
    GIVEN_IN_JOB = 1 << 2,
    GIVEN_IF_SET = 1 << 3,
};

struct section {
    char *file;             /* that has the section, as given; places point to it */
    char *environment_file; /* environment.yml, where it was read beside gpu.yml; else NULL */
    char *name;             /* `name:` of gpu.yml, else of environment.yml; NULL without one */
    struct place devices_place;
    struct item *items; /* none: the file says nothing of devices */
    size_t item_count;
    enum ids ids;
    enum if_no_gpu if_no_gpu;
    enum in_job in_job;
    enum if_set if_set;
    struct var_list variables;
    unsigned given;                  /* enum section_given: which of these keys are in the file */
    struct var_list conda_variables; /* environment.yml's own `variables:`, which conda sets */
    struct rule_list array_of(struct rule) rules; /* section/rules.h */
    struct error notes; /* what a reader may not expect, each with its place; no errors */
};

enum {
    SECTION_TOTAL_LIMIT = 500000, /* bytes; all of an environment shares a quarter of the stack */
    SECTION_VARIABLES_LIMIT = 1000,
    SECTION_NAME_LIMIT = 255,     /* bytes of a variable's name */
    SECTION_DEVICES_LIMIT = 1024, /* items; no machine has so many GPUs */
};

/* A file's bytes; the name is for messages and to tell gpu.yml from others. */
struct section_text {
    const char *file;
    const char *text;
    size_t length;
};

/* Whether the keys of the section may stand at the top level of a file of this name: gpu.yml, in
   any folder, and gpu.yaml. */
bool section_is_gpu_file(const char *file);

/* How the message begins that the file has no section, or one without anything in it. */
#define SECTION_MISSING "no 'gpu:' section"
#define SECTION_EMPTY   "gpu: the section is empty"

/* From environment.yml and gpu.yml beside it; NULL for the one that is not there. A section in both
   is an error. environment.yml may be a template if gpu.yml is there, and is not read then. */
int section_read_both(struct section *section, const struct section_text *environment,
                      const struct section_text *gpu, struct error *err);

/* From one file of either kind. */
int section_read(struct section *section, const char *file, const char *text, size_t length,
                 struct error *err);

/* True for `devices: none`, and for `devices: all`. */
bool section_wants_no_gpu(const struct section *section);
bool section_wants_all(const struct section *section);

void section_release(struct section *section);
