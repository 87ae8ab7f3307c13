/*
 * What a team wrote: the `gpu:` section of environment.yml, read and checked, each item with its
 * place so that later errors can name it.
 *
 *     scope(config_release) struct config config = {0};
 *     if (config_read(&config, "environment.yml", text, length, &err) < 0) ...
 *
 * All errors of a file are reported in one call. Keys outside `gpu:` are ignored, as conda's file
 * format asks (CEP 24, "Other keys"), but for `name`.
 */
#ifndef CONDA_GPU_CONFIG_H
#define CONDA_GPU_CONFIG_H

#include "base/error.h"
#include "section/item.h"
#include "section/vars.h"

#include <stdbool.h>

enum ids { IDS_INDEX, IDS_UUID };
enum if_no_gpu { IF_NO_GPU_ERROR, IF_NO_GPU_CPU };
enum in_job { IN_JOB_KEEP, IN_JOB_OVERRIDE };

struct config {
    char *file; /* as given; every place points to it */
    char *name; /* the file's own `name:`; NULL without one */
    struct place devices_place;
    struct item *items;
    size_t item_count;
    enum ids ids;
    enum if_no_gpu if_no_gpu;
    enum in_job in_job;
    struct var_list variables;
};

enum {
    CONFIG_TOTAL_LIMIT = 500000, /* bytes; all of an environment shares a quarter of the stack */
    CONFIG_VARIABLES_LIMIT = 1000,
    CONFIG_NAME_LIMIT = 255,     /* bytes of a variable's name */
    CONFIG_DEVICES_LIMIT = 1024, /* items; no machine has so many GPUs */
};

int config_read(struct config *config, const char *file, const char *text, size_t length,
                struct error *err);

/* The same for an open file. */
int config_read_fd(struct config *config, const char *file, int fd, struct error *err);

/* True for `devices: none`. */
bool config_wants_no_gpu(const struct config *config);

void config_release(struct config *config);

#endif
