/*
 * An environment that is handed in, as execve(2) takes it.
 */
#ifndef CONDA_GPU_ENV_H
#define CONDA_GPU_ENV_H

/* The variable's value; NULL if it is not set. */
const char *env_get(char *const *env, const char *name);

/* The same, but NULL also for an empty value. */
const char *env_get_filled(char *const *env, const char *name);

#endif
