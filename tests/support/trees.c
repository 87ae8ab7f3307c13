#include "support/trees.h"

#include "support/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *formatted_path(const char *folder, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s%s%s", folder, *folder ? "/" : "", name) < 0)
        abort();
    return path;
}

static struct tree_entry *add(struct tree *tree)
{
    if (tree->count == tree->room) {
        tree->room = tree->room ? tree->room * 2 : 32;
        tree->entries = reallocarray(tree->entries, tree->room, sizeof *tree->entries);
        if (!tree->entries)
            abort();
    }
    return memset(&tree->entries[tree->count++], 0, sizeof *tree->entries);
}

static void read_text(struct tree_entry *entry, int folder, const char *name, const struct stat *st)
{
    entry->length = S_ISLNK(st->st_mode) ? 256 : (size_t)st->st_size;
    entry->text = calloc(entry->length + 1, 1);
    if (!entry->text)
        abort();
    if (S_ISLNK(st->st_mode)) {
        ssize_t length = readlinkat(folder, name, entry->text, entry->length);
        entry->length = length > 0 ? (size_t)length : 0;
        return;
    }
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || read(fd, entry->text, entry->length) != (ssize_t)entry->length)
        ck_abort_msg("%s: %s", name, strerror(errno));
    close(fd);
    if (strncmp(entry->text, TREE_LOCK_TEXT, strlen(TREE_LOCK_TEXT)) == 0)
        entry->length = strlen(TREE_LOCK_TEXT);
    entry->text[entry->length] = '\0';
}

static int by_name(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* The names in a folder, sorted; takes the descriptor. */
static size_t list_names(int fd, char **names, size_t most)
{
    DIR *folder = fdopendir(fd);
    size_t count = 0;

    if (!folder)
        ck_abort_msg("cannot list a folder: %s", strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && count < most)
            names[count++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, count, sizeof *names, by_name);
    return count;
}

static void read_folder(struct tree *tree, int folder, const char *path)
{
    enum { MOST = 128 };
    char *names[MOST];
    size_t count = list_names(dup(folder), names, MOST);

    for (size_t i = 0; i < count; i++) {
        struct stat st;
        if (fstatat(folder, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
            ck_abort_msg("%s: %s", names[i], strerror(errno));
        bool temporary = fnmatch(TREE_TEMPORARY, names[i], 0) == 0;
        struct tree_entry *entry = add(tree);
        entry->path = formatted_path(path, temporary ? TREE_TEMPORARY : names[i]);
        entry->mode = st.st_mode;
        entry->group = st.st_gid;
        if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
            read_text(entry, folder, names[i], &st);
        if (S_ISDIR(st.st_mode)) {
            char *inside = strdup(entry->path);
            int fd = openat(folder, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            read_folder(tree, fd, inside);
            close(fd);
            free(inside);
        }
        free(names[i]);
    }
}

struct tree tree_read(const char *root)
{
    struct tree tree = {0};
    struct stat st;
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        ck_abort_msg("%s: %s", root, strerror(errno));
    *add(&tree) = (struct tree_entry){.path = strdup(""), .mode = st.st_mode, .group = st.st_gid};
    read_folder(&tree, fd, "");
    close(fd);
    return tree;
}

void tree_free(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->entries[i].path);
        free(tree->entries[i].text);
    }
    free(tree->entries);
    *tree = (struct tree){0};
}

static void empty_folder(int folder)
{
    enum { MOST = 128 };
    char *names[MOST];
    size_t count = list_names(dup(folder), names, MOST);

    for (size_t i = 0; i < count; i++) {
        if (unlinkat(folder, names[i], 0) < 0) {
            int fd = openat(folder, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            empty_folder(fd);
            close(fd);
            unlinkat(folder, names[i], AT_REMOVEDIR);
        }
        free(names[i]);
    }
}

static void write_entry(const struct tree_entry *entry, int root)
{
    const char *path = *entry->path ? entry->path : ".";
    int made = 0;

    if (S_ISDIR(entry->mode)) {
        made = *entry->path ? mkdirat(root, path, 0700) : 0;
    } else if (S_ISLNK(entry->mode)) {
        made = symlinkat(entry->text, root, path);
    } else {
        int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        made = fd < 0 || write(fd, entry->text, entry->length) < 0 ? -1 : 0;
        close(fd);
    }
    if (made < 0 || fchownat(root, path, (uid_t)-1, entry->group, AT_SYMLINK_NOFOLLOW) < 0 ||
        (!S_ISLNK(entry->mode) && fchmodat(root, path, entry->mode & 07777, 0) < 0))
        ck_abort_msg("%s: %s", path, strerror(errno));
}

void tree_write(const struct tree *tree, const char *root)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        ck_abort_msg("%s: %s", root, strerror(errno));
    empty_folder(fd);
    for (size_t i = 0; i < tree->count; i++)
        write_entry(&tree->entries[i], fd);
    close(fd);
}

const struct tree_entry *tree_find(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++)
        if (strcmp(tree->entries[i].path, path) == 0)
            return &tree->entries[i];
    return NULL;
}

bool tree_has_temporary(const struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        if (strstr(tree->entries[i].path, TREE_TEMPORARY))
            return true;
    return false;
}

static bool is_same_text(const struct tree_entry *one, const struct tree_entry *other)
{
    return one->length == other->length && !one->text == !other->text &&
           (!one->text || memcmp(one->text, other->text, one->length) == 0);
}

static char *said(const char *path, const char *what)
{
    char *text = NULL;

    if (asprintf(&text, "%s %s", *path ? path : "the root", what) < 0)
        abort();
    return text;
}

char *tree_difference(const struct tree *got, const struct tree *wanted)
{
    for (size_t i = 0; i < got->count; i++) {
        const struct tree_entry *entry = &got->entries[i];
        const struct tree_entry *other = tree_find(wanted, entry->path);
        char modes[64];
        if (!other)
            return said(entry->path, "should not be there");
        snprintf(modes, sizeof modes, "has mode %o in place of %o", (unsigned)entry->mode,
                 (unsigned)other->mode);
        if (entry->mode != other->mode)
            return said(entry->path, modes);
        if (entry->group != other->group)
            return said(entry->path, "has another group");
        if (!is_same_text(entry, other))
            return said(entry->path, "has another content");
    }
    for (size_t i = 0; i < wanted->count; i++)
        if (!tree_find(got, wanted->entries[i].path))
            return said(wanted->entries[i].path, "is missing");
    return NULL;
}

char *tree_text(const struct tree *tree)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    for (size_t i = 0; out && i < tree->count; i++) {
        const struct tree_entry *entry = &tree->entries[i];
        fprintf(out, "/%s %o %u %zu ", entry->path, (unsigned)entry->mode, (unsigned)entry->group,
                entry->length);
        fwrite(entry->text ? entry->text : "", 1, entry->length, out);
        fputc('\n', out);
    }
    if (!out || fclose(out) != 0)
        abort();
    return text;
}
