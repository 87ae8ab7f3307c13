#include "cli/cli.h"

int cli_open(struct environment *environment, struct prefix *prefix, const struct options *options,
             const struct section *file, struct error *err)
{
    const struct find_wish wish = {options->prefix, options->name, file ? file->name : NULL,
                                   file != NULL, options->env};

    if (find_environment(environment, &wish, err) < 0)
        return -1;
    return prefix_open(prefix, environment->path, err);
}
