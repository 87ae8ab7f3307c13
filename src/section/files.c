#include "section/files.h"

#include "base/file.h"
#include "base/scope.h"

#include <string.h>
#include <unistd.h>

#define BOTH "reading %s, though there is %s too; -f chooses"

enum { FILE_LIMIT = 16 << 20 }; /* bytes */

static const char *const environment_names[] = {"environment.yml", "environment.yaml", NULL};
static const char *const gpu_names[] = {"gpu.yml", NULL};

/* A file that was found. */
struct found {
    char *path;
    struct strbuf text;
};

static void found_release(struct found *found)
{
    free(found->path);
    strbuf_release(&found->text);
}

static int cannot_read(const char *path, struct error *err)
{
    if (errno == ENOMEM)
        return error_memory(err);
    if (errno == EOVERFLOW)
        return error_add(err, STATUS_INPUT, "%s: larger than %d MiB; an environment file is not",
                         path, FILE_LIMIT >> 20);
    return error_add(err, STATUS_INPUT, "%s: cannot read the file: %s; name another with -f", path,
                     file_reason(errno));
}

/* The first of these names in the folder of `beside`, or, for NULL, in this one; nothing if none is
   there. */
static int look_for(struct found *found, const char *const *names, const char *beside,
                    struct error *err)
{
    size_t folder = beside ? (size_t)(path_name(beside) - beside) : 0;

    for (; *names; names++) {
        scope(free_text) char *path =
            format_text("%.*s%s", (int)folder, folder ? beside : "", *names);
        if (!path)
            return error_memory(err);
        if (file_read(path, FILE_LIMIT, &found->text) == 0) {
            found->path = take(&path);
            return 0;
        }
        if (found->text.failed)
            return error_memory(err);
        if (errno != ENOENT)
            return cannot_read(path, err);
    }
    return 0;
}

static int read_named(struct found *found, const char *named, unsigned seconds, struct error *err)
{
    found->path = strdup(strcmp(named, "-") == 0 ? "standard input" : named);
    if (!found->path)
        return error_memory(err);
    if (file_read_named(named, FILE_LIMIT, seconds, &found->text) == 0)
        return 0;
    return found->text.failed ? error_memory(err) : cannot_read(found->path, err);
}

/* What of the two is there. */
static int find(struct found *environment, struct found *gpu, const char *named, unsigned seconds,
                struct error *err)
{
    bool names_gpu = named && section_is_gpu_file(named);
    bool names_environment = named && text_is_among(path_name(named), environment_names, 2);

    if ((named && read_named(names_gpu ? gpu : environment, named, seconds, err) < 0) ||
        ((!named || names_gpu) && look_for(environment, environment_names, named, err) < 0) ||
        ((!named || names_environment) && look_for(gpu, gpu_names, named, err) < 0))
        return -1;
    return 0;
}

static const struct section_text *text_of(const struct found *found, struct section_text *text)
{
    *text = (struct section_text){found->path, strbuf_text(&found->text), found->text.length};
    return found->path ? text : NULL;
}

/* The other spelling of environment.yml, where nobody chose and both are there: conda's own tools
   write .yml, and its manual has both. */
static const char *find_other(const struct found *environment, const char *named)
{
    const char *other = environment_names[1];

    return !named && environment->path && strcmp(environment->path, other) != 0 &&
                   access(other, F_OK) == 0
               ? other
               : NULL;
}

int files_read(struct section *section, const char *named, unsigned seconds, struct error *err)
{
    scope(found_release) struct found environment = {0};
    scope(found_release) struct found gpu = {0};
    struct section_text texts[2];

    if (find(&environment, &gpu, named, seconds, err) < 0)
        return -1;
    if (!environment.path && !gpu.path)
        return error_add(err, STATUS_INPUT,
                         "no environment.yml, environment.yaml or gpu.yml in this folder; go to "
                         "the one that has it, or name the file with -f");
    const char *other = find_other(&environment, named);
    if (section_read_both(section, text_of(&environment, &texts[0]), text_of(&gpu, &texts[1]),
                          err) == 0) {
        if (other)
            error_add(&section->notes, STATUS_INPUT, BOTH, environment.path, other);
        return 0;
    }
    return other ? error_detail(err, BOTH, environment.path, other) : -1;
}
