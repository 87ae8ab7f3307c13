/*
 * What a team wrote: the `gpu:` section of environment.yml, read and checked, each item with its
 * place so that later errors can name it.
 *
 *     scope(section_release) struct section section = {0};
 *     if (section_read(&section, "environment.yml", text, length, &err) < 0) ...
 *
 * All errors of a file are reported in one call. Keys outside `gpu:` are ignored, as conda's file
 * format asks (CEP 24, "Other keys"), but for `name`.
 */
#ifndef CONDA_GPU_SECTION_H
#define CONDA_GPU_SECTION_H

#include "base/error.h"
#include "section/item.h"
#include "section/vars.h"

#include <stdbool.h>

enum ids { IDS_INDEX, IDS_UUID };
enum if_no_gpu { IF_NO_GPU_ERROR, IF_NO_GPU_CPU, IF_NO_GPU_UNCONFIRMED };
enum in_job { IN_JOB_KEEP, IN_JOB_OVERRIDE };
enum if_set { IF_SET_OVERRIDE, IF_SET_KEEP };

struct section {
    char *file; /* as given; every place points to it */
    char *name; /* the file's own `name:`; NULL without one */
    struct place devices_place;
    struct item *items; /* none: the file says nothing of devices */
    size_t item_count;
    enum ids ids;
    enum if_no_gpu if_no_gpu;
    enum in_job in_job;
    enum if_set if_set;
    struct var_list variables;
    struct error notes; /* what a reader may not expect, each with its place; no errors */
};

enum {
    SECTION_TOTAL_LIMIT = 500000, /* bytes; all of an environment shares a quarter of the stack */
    SECTION_VARIABLES_LIMIT = 1000,
    SECTION_NAME_LIMIT = 255,     /* bytes of a variable's name */
    SECTION_DEVICES_LIMIT = 1024, /* items; no machine has so many GPUs */
};

int section_read(struct section *section, const char *file, const char *text, size_t length,
                 struct error *err);

/* True for `devices: none`, and for `devices: all`. */
bool section_wants_no_gpu(const struct section *section);
bool section_wants_all(const struct section *section);

void section_release(struct section *section);

#endif
