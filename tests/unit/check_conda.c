/*
 * The modules that know a prefix's files: site, receipt, history, hook. What apply and remove make
 * of them, through the command line, is in check_cli_apply.c.
 */
#include "support/one_prefix.h"

#include "base/scope.h"
#include "conda/earlier.h"
#include "conda/hooks.h"
#include "conda/prefix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct prefix site;
static struct error err;

static void set_up(void)
{
    one_prefix_open();
    site = (struct prefix)PREFIX_INIT;
    err = (struct error)ERROR_INIT;
    ck_assert_int_eq(prefix_open(&site, prefix, &err), 0);
}

static void tear_down(void)
{
    prefix_close(&site);
    error_release(&err);
    one_prefix_close();
}

static char *content(const char *path)
{
    return sandbox_read(&box, inside(path), NULL);
}

static void check_content(const char *path, const char *wanted)
{
    scope(free_text) char *text = content(path);

    ck_assert_pstr_eq(text, wanted);
}

/* The prefix's name in a message is PREFIX. */
static void check_error(const char *wanted)
{
    scope(free_text) char *text = format_text("%s/%s", prefix, wanted);

    ck_assert_str_eq(error_text(&err), text);
    ck_assert_int_eq(err.status, STATUS_PREFIX);
}

/* site */

START_TEST(prefix_of_nothing)
{
    struct prefix other = PREFIX_INIT;

    ck_assert_int_eq(prefix_open(&other, "/nowhere", &err), -1);
    ck_assert_str_eq(error_text(&err),
                     "/nowhere: cannot open the environment: No such file or directory\n");
    ck_assert_int_eq(other.folder, -1);
    prefix_close(&other);
    prefix_close(&other);
}
END_TEST

START_TEST(prefix_writes_and_reads)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    ck_assert_int_eq(prefix_read(&site, "a/b/c", &text, &err), 0);
    ck_assert_int_eq(prefix_write(&site, "a/b/c", "x\0y", 3, &err), 0);
    ck_assert_int_eq(prefix_read(&site, "a/b/c", &text, &err), 1);
    ck_assert_uint_eq(text.length, 3);
    ck_assert_mem_eq(text.text, "x\0y", 3);
    ck_assert_int_eq(prefix_has(&site, "a/b/c", &err), 1);
    ck_assert_int_eq(prefix_has_folder(&site, "a/b", &err), 1);
    ck_assert_int_eq(prefix_has(&site, "a/x", &err), 0);
    ck_assert_int_eq(prefix_remove(&site, "a/b/c", &err), 0);
    ck_assert_int_eq(prefix_remove(&site, "a/b/c", &err), 0);
    ck_assert_int_eq(prefix_remove(&site, "no/folder", &err), 0);
    ck_assert_int_eq(prefix_remove_folder(&site, "a", 0, &err), 0);
    ck_assert_int_eq(prefix_has_folder(&site, "a", &err), 1);
    ck_assert_int_eq(prefix_remove_folder(&site, "a/b", 0, &err), 0);
    ck_assert_int_eq(prefix_remove_folder(&site, "a", 0, &err), 0);
    ck_assert_int_eq(prefix_has_folder(&site, "a", &err), 0);
    ck_assert_str_eq(error_text(&err), "");
}
END_TEST

/* Through no link and over no folder. */
static const struct {
    const char *path, *error;
} blocked[] = {
    {"link", "it is a symbolic link, and conda-gpu follows none here; replace it by a real file or "
             "folder\n"},
    {"folder", "it is a folder; move it away\n"},
    {"fifo", "it is neither a file nor a folder; move it away\n"},
    {"out/file", "a part of it is no folder, or a symbolic link, and conda-gpu follows none here; "
                 "replace it by a real folder\n"},
    {"file/x", "a part of it is no folder, or a symbolic link, and conda-gpu follows none here; "
               "replace it by a real folder\n"},
};

START_TEST(prefix_is_blocked)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *message =
        format_text("%s: cannot read: %s", blocked[_i].path, blocked[_i].error);

    sandbox_write(&box, "outside/file", "kept");
    sandbox_write(&box, inside("folder/x"), "");
    sandbox_write(&box, inside("file"), "");
    ck_assert_int_eq(symlinkat("../../outside/file", site.folder, "link"), 0);
    ck_assert_int_eq(symlinkat("../../outside", site.folder, "out"), 0);
    ck_assert_int_eq(mkfifoat(site.folder, "fifo", 0600), 0);
    ck_assert_int_eq(prefix_read(&site, blocked[_i].path, &text, &err), -1);
    check_error(message);
    prefix_remove(&site, "out/file", &err);
    ck_assert(sandbox_has(&box, "outside/file"));
}
END_TEST

START_TEST(prefix_writes_through_no_link)
{
    sandbox_write(&box, "outside/file", "kept");
    ck_assert_int_eq(symlinkat("../../outside", site.folder, "etc"), 0);
    ck_assert_int_eq(prefix_write(&site, "etc/file", "x", 1, &err), -1);
    ck_assert_int_eq(symlinkat("../../outside/file", site.folder, "link"), 0);
    ck_assert_int_eq(prefix_write(&site, "link", "x", 1, &err), 0);
    scope(free_text) char *kept = sandbox_read(&box, "outside/file", NULL);
    ck_assert_str_eq(kept, "kept");
    check_content("link", "x");
}
END_TEST

static const struct {
    mode_t prefix, file, folder;
} modes[] = {{0755, 0644, 0755}, {0775, 0664, 0775}, {0700, 0644, 0755}};

START_TEST(prefix_has_modes)
{
    struct prefix other = PREFIX_INIT;
    struct stat st;

    ck_assert_int_eq(chmod(prefix, modes[_i].prefix), 0);
    umask(077);
    ck_assert_int_eq(prefix_open(&other, prefix, &err), 0);
    ck_assert_int_eq(prefix_write(&other, "new/file", "", 0, &err), 0);
    ck_assert_int_eq(fstatat(other.folder, "new/file", &st, 0), 0);
    ck_assert_int_eq(st.st_mode & 07777, modes[_i].file);
    ck_assert(prefix_is_marked(&other, "new"));
    ck_assert_int_eq(prefix_settle(&other, "new", &err), 0);
    ck_assert(!prefix_is_marked(&other, "new"));
    ck_assert_int_eq(fstatat(other.folder, "new", &st, 0), 0);
    ck_assert_int_eq(st.st_mode & 07777, modes[_i].folder);
    umask(022);
    prefix_close(&other);
}
END_TEST

START_TEST(prefix_locks)
{
    struct prefix other = PREFIX_INIT;
    scope(strbuf_release) struct strbuf holder = STRBUF_INIT;

    ck_assert_int_eq(prefix_lock(&site, &err), 0);
    ck_assert_int_eq(prefix_open(&other, prefix, &err), 0);
    ck_assert_int_eq(prefix_lock(&other, &err), PREFIX_BUSY);
    prefix_lock_holder(&other, &holder);
    scope(free_text) char *process = format_text("(process %d)", getpid());
    ck_assert_msg(strstr(strbuf_text(&holder), process) ||
                      strcmp(strbuf_text(&holder), "another process") == 0,
                  "%s", strbuf_text(&holder));
    prefix_close(&site);
    ck_assert_int_eq(prefix_lock(&other, &err), 0);
    ck_assert_str_eq(error_text(&err), "");
    prefix_close(&other);
}
END_TEST

/* conda's own file is the lock's, and stays as it is; without it, its folder will do. */
START_TEST(prefix_lock_changes_nothing)
{
    scope(free_text) char *history = sandbox_path(&box, inside("conda-meta/history"));
    struct stat before, after;

    ck_assert_int_eq(stat(history, &before), 0);
    ck_assert_int_eq(prefix_lock(&site, &err), 0);
    ck_assert_int_eq(stat(history, &after), 0);
    ck_assert_mem_eq(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
    ck_assert_int_eq(after.st_size, 0);
    prefix_close(&site);
    ck_assert_int_eq(unlink(history), 0);
    ck_assert_int_eq(prefix_open(&site, prefix, &err), 0);
    ck_assert_int_eq(prefix_lock(&site, &err), 0);
    ck_assert(!sandbox_has(&box, inside("conda-meta/history")));
}
END_TEST

START_TEST(prefix_keeps_and_puts_back)
{
    sandbox_write(&box, inside("a/mine"), "mine");
    sandbox_write(&box, inside("a/taken"), "taken");
    ck_assert_int_eq(prefix_keep(&site, "a/mine", "a/taken", &err), -1);
    ck_assert_int_eq(prefix_keep(&site, "a/mine", "a/mine.orig", &err), 0);
    check_content("a/mine.orig", "mine");
    ck_assert_int_eq(prefix_write(&site, "a/mine", "ours", 4, &err), 0);
    check_content("a/mine.orig", "mine");
    ck_assert_int_eq(prefix_put_back(&site, "a/mine.orig", "a/mine", &err), PREFIX_TAKEN);
    check_content("a/mine", "ours");
    ck_assert_int_eq(prefix_remove(&site, "a/mine", &err), 0);
    ck_assert_int_eq(prefix_put_back(&site, "a/mine.orig", "a/mine", &err), PREFIX_PUT_BACK);
    check_content("a/mine", "mine");
    ck_assert(!sandbox_has(&box, inside("a/mine.orig")));
    check_content("a/taken", "taken");
    ck_assert_int_eq(prefix_put_back(&site, "a/gone", "a/x", &err), PREFIX_NOT_KEPT);
}
END_TEST

START_TEST(prefix_sweeps)
{
    sandbox_write(&box, inside("a/.conda-gpu-0.tmp"), "");
    sandbox_write(&box, inside("a/x.tmp"), "");
    prefix_sweep(&site, "a");
    prefix_sweep(&site, "none");
    ck_assert(!sandbox_has(&box, inside("a/.conda-gpu-0.tmp")));
    ck_assert(sandbox_has(&box, inside("a/x.tmp")));
}
END_TEST

/* receipt */

static char name_a[] = "A", name_visible[] = "CUDA_VISIBLE_DEVICES", etc_conda[] = "etc/conda";
static char hook_sh[] = "etc/conda/activate.d/env_vars.sh", version[] = "1.2";
static char hook_orig[] = "etc/conda/activate.d/env_vars.sh.orig";
static char *variables[] = {name_a, name_visible};
static char *made_folders[] = {etc_conda};
static struct receipt_device devices[] = {
    {"GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", "0000:0f:00.0"}};
static struct receipt_file files[] = {{hook_sh, "0123456789abcdef"}};
static struct receipt_kept kept[] = {{hook_sh, hook_orig}};

static struct receipt full_receipt(char *source)
{
    return (struct receipt){.version = version,
                            .source = source,
                            .state = "0123abcd",
                            .devices = devices,
                            .devices_count = 1,
                            .variables = variables,
                            .variables_count = 2,
                            .files = files,
                            .files_count = 1,
                            .kept = kept,
                            .kept_count = 1,
                            .folders = made_folders,
                            .folders_count = 1};
}

/* Sources of any bytes, since a path may hold all but NUL, and what stands for them if YAML cannot
   hold them. */
static const char *const sources[][2] = {
    {"/a/environment.yml", NULL},
    {"/a b/it's", NULL},
    {"/new\nline", NULL},
    {"/: # - {x", NULL},
    {"/caf\xc3\xa9", NULL},
    {"/caf\xe9", "/caf\\xe9"},
    {"/\x01\x1b", NULL},
    {"~", NULL},
    {"", NULL},
    {"/trailing \n", NULL},
    {"null", NULL},
};

START_TEST(receipt_reads_back)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *source = strdup(sources[_i][0]);
    struct receipt receipt = full_receipt(source);

    ck_assert_msg(receipt_print(&text, &receipt, &err) == 0, "%s", error_text(&err));
    ck_assert(receipt_is_ours(strbuf_text(&text), text.length));
    scope(receipt_free) struct receipt *again = receipt_parse(strbuf_text(&text), text.length);
    ck_assert_ptr_nonnull(again);
    ck_assert_str_eq(again->version, "1.2");
    ck_assert_str_eq(again->source, sources[_i][1] ? sources[_i][1] : sources[_i][0]);
    ck_assert_str_eq(again->state, "0123abcd");
    ck_assert_uint_eq(again->devices_count, 1);
    ck_assert_str_eq(again->devices[0].uuid, devices[0].uuid);
    ck_assert_str_eq(again->devices[0].address, devices[0].address);
    ck_assert_uint_eq(again->variables_count, 2);
    ck_assert_str_eq(again->variables[1], "CUDA_VISIBLE_DEVICES");
    ck_assert_str_eq(again->files[0].digest, "0123456789abcdef");
    ck_assert_str_eq(again->kept[0].now, kept[0].now);
    ck_assert_str_eq(again->folders[0], "etc/conda");
}
END_TEST

START_TEST(receipt_of_nothing)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    char source[] = "/x";
    const struct receipt receipt = {.version = version, .source = source, .state = "0123abcd"};

    ck_assert_msg(receipt_print(&text, &receipt, &err) == 0, "%s", error_text(&err));
    scope(receipt_free) struct receipt *again = receipt_parse(strbuf_text(&text), text.length);
    ck_assert_ptr_nonnull(again);
    ck_assert_uint_eq(again->devices_count + again->variables_count + again->files_count +
                          again->kept_count + again->folders_count,
                      0);
}
END_TEST

#define LISTS "devices: []\nvariables: []\nfiles: []\nkept: []\nfolders: []\n"
#define BEGIN "version: 1\nsource: /x\nstate: 0123abcd\n"

static const struct {
    const char *text;
    bool good;
} receipts[] = {
    {BEGIN LISTS, true},
    {"# comment\n" BEGIN LISTS, true},
    {"", false},
    {"# Receipt of conda-gpu\n", false},
    {"---\n", false},
    {"[]\n", false},
    {"text\n", false},
    {"\xff\n", false},
    {BEGIN LISTS "more: 1\n", false},
    {BEGIN, false},
    {"version: 1\nsource: /x\nstate: 0123ABCD\n" LISTS, false},
    {"version: 1\nsource: /x\nstate: 0123abc\n" LISTS, false},
    {"version: 1\nsource: /x\nstate: 0123abcd0\n" LISTS, false},
    {"version: 1\nsource: /x\nstate: ''\n" LISTS, false},
    {"version: 1\nsource: /x\nstate: $(id)abc\n" LISTS, false},
    {BEGIN "devices: []\nvariables: ['A;id']\nfiles: []\nkept: []\nfolders: []\n", false},
    {BEGIN "devices: []\nvariables: ['']\nfiles: []\nkept: []\nfolders: []\n", false},
    {BEGIN "devices: []\nvariables: [PATH]\nfiles: []\nkept: []\nfolders: []\n", false},
    {BEGIN "devices: []\nvariables: [CUDA_VISIBLE_DEVICES]\nfiles: []\nkept: []\nfolders: []\n",
     true},
    {BEGIN "devices: []\nvariables: [A]\nfiles: []\nkept: []\nfolders: []\n", true},
    {BEGIN "devices: []\nvariables: []\nfiles: []\nkept: []\nfolders: [bin]\n", false},
    {BEGIN "devices: []\nvariables: []\nfiles: []\nkept: []\nfolders: [../x]\n", false},
    {BEGIN "devices: []\nvariables: []\nfiles: []\nkept: []\nfolders: [etc]\n", true},
    {BEGIN "devices: []\nvariables: []\nfiles: []\nfolders: []\nkept: [{path: "
           "etc/conda/activate.d/env_vars.sh, now: bin/python}]\n",
     false},
    {BEGIN "devices: []\nvariables: []\nfiles: []\nfolders: []\nkept: [{path: "
           "etc/conda/../../bin/x, now: etc/conda/../../bin/y}]\n",
     false},
    {BEGIN "devices: []\nvariables: []\nfiles: []\nfolders: []\nkept: [{path: "
           "etc/conda/activate.d/a, now: etc/conda/deactivate.d/a}]\n",
     false},
    {BEGIN "devices: [{uuid: "
           "0123456789012345678901234567890123456789012345678901234567890123456789, address: x}]\n"
           "variables: []\nfiles: []\nkept: []\nfolders: []\n",
     false},
    {"version: &a [*a]\n", false},
    {"%TAG !a! b\n---\n" BEGIN LISTS, false},
    {"# comment\n%YAML 1.1\n---\n" BEGIN LISTS, false},
};

START_TEST(receipt_is_strict)
{
    scope(receipt_free) struct receipt *receipt =
        receipt_parse(receipts[_i].text, strlen(receipts[_i].text));

    ck_assert_msg((receipt != NULL) == receipts[_i].good, "%s", receipts[_i].text);
}
END_TEST

START_TEST(receipt_names_no_more_than_the_limit)
{
    for (int more = 0; more < 2; more++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        strbuf_adds(&text, BEGIN "devices: []\nfiles: []\nkept: []\nfolders: []\nvariables:\n");
        for (int i = 0; i < MANAGED_LIMIT + more; i++)
            strbuf_addf(&text, "- A%d\n", i);
        scope(receipt_free) struct receipt *receipt = receipt_parse(text.text, text.length);
        ck_assert_int_eq(receipt != NULL, !more);
    }
}
END_TEST

START_TEST(receipt_knows_its_own)
{
    ck_assert(!receipt_is_ours("", 0));
    ck_assert(!receipt_is_ours("# Receipt of conda-gpu", 10));
    ck_assert(receipt_is_ours("# Receipt of conda-gpu", 22));
    ck_assert(!receipt_is_ours("version: 1\n# Receipt of conda-gpu", 33));
}
END_TEST

/* history */

#define HOOK                                                                                       \
    "# Written by conda-gpu 1\n# conda-gpu digest 0123456789abcdef\n"                              \
    "__CONDA_GPU_89abcdef_AT_B\n__CONDA_GPU_89abcdef_AT_A\n"

static void write_receipt(void)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    char source[] = "/x";
    struct receipt receipt = full_receipt(source);

    ck_assert_int_eq(receipt_print(&text, &receipt, &err), 0);
    sandbox_write(&box, inside(RECEIPT_PATH), strbuf_text(&text));
}

static const struct {
    const char *receipt, *hook; /* "" for a sound receipt */
    const char *key;            /* NULL: made from the path */
    const char *managed;
    bool damaged;
} histories[] = {
    {NULL, NULL, NULL, "", false},
    {"", NULL, "0123abcd", "A CUDA_VISIBLE_DEVICES ", false},
    {NULL, HOOK, "89abcdef", "B A ", false},
    {"", HOOK, "0123abcd", "A CUDA_VISIBLE_DEVICES B ", false},
    {"# Receipt of conda-gpu\nversion: 99\n", HOOK, "89abcdef", "B A ", true},
    {"# Receipt of conda-gpu\nversion: 99\n", NULL, NULL, "", true},
    {"# Receipt of conda-gpu\n", HOOK, "89abcdef", "B A ", true},
    {"other: 1\n", NULL, NULL, "", false},
    {NULL, "export __CONDA_GPU_89abcdef_AT_B=1\n", NULL, "", false},
};

START_TEST(history_is_recalled)
{
    struct earlier history = {0};
    scope(strbuf_release) struct strbuf managed = STRBUF_INIT;

    if (histories[_i].receipt && !*histories[_i].receipt)
        write_receipt();
    else if (histories[_i].receipt)
        sandbox_write(&box, inside(RECEIPT_PATH), histories[_i].receipt);
    if (histories[_i].hook)
        sandbox_write(&box, inside("etc/conda/deactivate.d/env_vars.sh"), histories[_i].hook);
    ck_assert_int_eq(earlier_read(&history, &site, &err), 0);
    for (size_t i = 0; i < history.managed.count; i++)
        strbuf_addf(&managed, "%s ", history.managed.items[i]);
    ck_assert_str_eq(strbuf_text(&managed), histories[_i].managed);
    ck_assert_uint_eq(strlen(history.key), 8);
    if (histories[_i].key)
        ck_assert_str_eq(history.key, histories[_i].key);
    ck_assert_int_eq(history.damaged, histories[_i].damaged);
    earlier_release(&history);
    earlier_release(&history);
}
END_TEST

START_TEST(history_key_is_the_prefix_s)
{
    scope(earlier_release) struct earlier history = {0};
    scope(earlier_release) struct earlier other = {0};
    struct prefix elsewhere = PREFIX_INIT;
    scope(free_text) char *path = sandbox_environment(&box, "other");

    ck_assert_int_eq(prefix_open(&elsewhere, path, &err), 0);
    ck_assert_int_eq(earlier_read(&history, &site, &err), 0);
    ck_assert_int_eq(earlier_read(&other, &elsewhere, &err), 0);
    ck_assert_str_ne(history.key, other.key);
    prefix_close(&elsewhere);
}
END_TEST

START_TEST(history_fails_whole)
{
    scope(earlier_release) struct earlier history = {0};

    sandbox_write(&box, inside("etc/conda/deactivate.d/env_vars.sh/x"), "");
    ck_assert_int_eq(earlier_read(&history, &site, &err), -1);
    check_error("etc/conda/deactivate.d/env_vars.sh: cannot read: it is a folder; move it away\n");
    ck_assert_str_eq(history.key, "");
}
END_TEST

/* hook */

#define PATH  "etc/conda/activate.d/env_vars.sh"
#define OTHER "export A=1\n"

static const struct strbuf no_interim = STRBUF_INIT;

/* A text that is ours and unchanged, with the digest that it has. */
static char *signed_text(const char *rest)
{
    char digest[DIGEST_TEXT_SIZE];
    char *text = format_text("# Written by conda-gpu 1\n# conda-gpu digest %016d\n%s", 0, rest);

    digest_text(digest_of(text, strlen(text)), digest);
    memcpy(strstr(text, "digest ") + strlen("digest "), digest, DIGEST_TEXT_SIZE - 1);
    return text;
}

static void add(struct hook_set *set, const char *path, const char *text)
{
    struct strbuf taken = STRBUF_INIT;

    strbuf_adds(&taken, text);
    ck_assert_int_eq(hook_set_add(set, &site, path, &taken, &err), 0);
    ck_assert_ptr_null(taken.text);
}

static const struct {
    const char *there; /* NULL: nothing; "": ours as it was; "!": ours, edited */
    enum hook_state state;
} states[] = {
    {NULL, HOOK_ABSENT}, {"new\n", HOOK_SAME},  {OTHER, HOOK_FOREIGN},     {"", HOOK_OURS},
    {"!", HOOK_EDITED},  {"new", HOOK_FOREIGN}, {"new\n\n", HOOK_FOREIGN},
};

START_TEST(hook_states)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(free_text) char *ours = signed_text("export A=1\n");
    scope(free_text) char *edited = format_text("%sexport B=2\n", ours);
    const char *there = states[_i].there;

    if (there)
        sandbox_write(&box, inside(PATH), !*there ? ours : *there == '!' ? edited : there);
    add(&set, PATH, "new\n");
    ck_assert_int_eq(set.items[0].state, states[_i].state);
    ck_assert_int_eq(hook_differs(&set, 1), states[_i].state != HOOK_SAME);
    ck_assert(!hook_differs(&set, 0));
}
END_TEST

/* What each policy makes of each kind of file: the name under which it is kept, or an error. */
static const struct {
    bool edited;
    struct hook_policy policy;
    const char *kept; /* NULL: an error */
} claims[] = {
    {false, {false, false, false}, NULL},
    {false, {false, false, true}, NULL},
    {false, {true, false, false}, "etc/conda/activate.d/env_vars-adopted.sh"},
    {false, {false, true, false}, PATH ".orig"},
    {true, {false, false, false}, NULL},
    {true, {true, true, false}, NULL},
    {true, {false, false, true}, PATH ".orig"},
};

START_TEST(hook_claims)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(names_release) struct names missing = {0};
    scope(free_text) char *ours = signed_text("");
    scope(free_text) char *edited = format_text("%s# edited\n", ours);
    const char *there = claims[_i].edited ? edited : OTHER;

    sandbox_write(&box, inside(PATH), there);
    add(&set, PATH, "new\n");
    int result = hook_claim(&set, &site, &claims[_i].policy, &err);
    ck_assert_int_eq(result, claims[_i].kept ? 0 : -1);
    check_content(PATH, there);
    if (result < 0) {
        ck_assert_int_eq(err.status, STATUS_PREFIX);
        return;
    }
    ck_assert_str_eq(set.items[0].keep, claims[_i].kept);
    ck_assert_int_eq(hook_missing_folders(&site, &missing, &err), 0);
    ck_assert_int_eq(hook_write(&set, &site, &no_interim, &missing, &err), 0);
    check_content(PATH, "new\n");
    check_content(claims[_i].kept, there);
}
END_TEST

START_TEST(hook_keeps_under_a_free_name)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(names_release) struct names missing = {0};
    const struct hook_policy policy = {.replace = true};

    sandbox_write(&box, inside(PATH), OTHER);
    sandbox_write(&box, inside(PATH ".orig"), "older");
    sandbox_write(&box, inside(PATH ".orig.1"), "old");
    add(&set, PATH, "new\n");
    ck_assert_int_eq(hook_claim(&set, &site, &policy, &err), 0);
    ck_assert_int_eq(hook_write(&set, &site, &no_interim, &missing, &err), 0);
    check_content(PATH ".orig", "older");
    check_content(PATH ".orig.1", "old");
    check_content(PATH ".orig.2", OTHER);
}
END_TEST

START_TEST(hook_writes_what_differs)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(names_release) struct names missing = {0};
    scope(free_text) char *same = sandbox_path(&box, inside("etc/conda/same"));
    struct stat before, after;

    sandbox_write(&box, inside("etc/conda/same"), "same");
    ck_assert_int_eq(stat(same, &before), 0);
    add(&set, "etc/conda/same", "same");
    add(&set, "etc/conda/deactivate.d/new", "new");
    ck_assert_int_eq(hook_missing_folders(&site, &missing, &err), 0);
    ck_assert_uint_eq(missing.count, 2);
    ck_assert_int_eq(hook_write(&set, &site, &no_interim, &missing, &err), 0);
    check_content("etc/conda/deactivate.d/new", "new");
    ck_assert_int_eq(stat(same, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

/* What comes, goes or changes after it was read is somebody else's, and nothing is written then. */
static const struct {
    const char *first, *then; /* NULL: nothing is there */
} changes[] = {{OTHER, OTHER "#\n"}, {NULL, OTHER}, {OTHER, NULL}, {OTHER, ""}, {NULL, ""}};

START_TEST(hook_notices_a_change)
{
    scope(hook_set_release) struct hook_set set = {0};
    const struct names missing = {0};

    if (changes[_i].first)
        sandbox_write(&box, inside(PATH), changes[_i].first);
    add(&set, "etc/conda/activate.d/a", "new\n");
    add(&set, PATH, "new\n");
    sandbox_remove(&box, inside(PATH));
    if (changes[_i].then)
        sandbox_write(&box, inside(PATH), changes[_i].then);
    ck_assert_int_eq(hook_write(&set, &site, &no_interim, &missing, &err), -1);
    check_error(PATH ": somebody changed this file while conda-gpu ran, so nothing was "
                     "written; run it again\n");
    ck_assert(!sandbox_has(&box, inside("etc/conda/activate.d/a")));
    if (changes[_i].then)
        check_content(PATH, changes[_i].then);
    else
        ck_assert(!sandbox_has(&box, inside(PATH)));
}
END_TEST

/* Folders that were made for a write that failed go again. */
START_TEST(hook_write_undoes_folders)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(names_release) struct names missing = {0};

    add(&set, "etc/conda/activate.d/x/y", "1");
    ck_assert_int_eq(hook_missing_folders(&site, &missing, &err), 0);
    ck_assert_uint_eq(missing.count, 4);
    ck_assert_str_eq(missing.items[0], "etc");
    sandbox_write(&box, inside("etc/conda/activate.d/x"), "in the way");
    ck_assert_int_eq(hook_write(&set, &site, &no_interim, &missing, &err), -1);
    ck_assert_int_eq(err.status, STATUS_PREFIX);
    ck_assert_int_eq(prefix_has_folder(&site, "etc/conda/deactivate.d", &err), 0);
    check_content("etc/conda/activate.d/x", "in the way");
}
END_TEST

START_TEST(hook_removes_its_own)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(free_text) char *ours = signed_text("x\n");
    scope(free_text) char *edited = format_text("%sy\n", ours);

    sandbox_write(&box, inside("etc/conda/activate.d/a"), ours);
    sandbox_write(&box, inside("etc/conda/activate.d/b"), OTHER);
    sandbox_write(&box, inside("etc/conda/activate.d/c"), edited);
    add(&set, "etc/conda/activate.d/a", "");
    add(&set, "etc/conda/activate.d/b", "");
    add(&set, "etc/conda/activate.d/c", "");
    add(&set, "etc/conda/activate.d/d", "");
    ck_assert_int_eq(hook_remove(&set, &site, &err), -1);
    check_error("etc/conda/activate.d/c: somebody edited this file after conda-gpu wrote it, so it "
                "stays; remove it by hand if it is not wanted, and run again\n");
    ck_assert(!sandbox_has(&box, inside("etc/conda/activate.d/a")));
    check_content("etc/conda/activate.d/b", OTHER);
    check_content("etc/conda/activate.d/c", edited);
}
END_TEST

/* A set with the receipt, which is ours, in folders that are ours. */
static void set_to_forget(struct hook_set *set, struct names *folders)
{
    write_receipt();
    sandbox_write(&box, inside("etc/conda/activate.d/x"), "");
    sandbox_write(&box, inside("etc/conda/deactivate.d/x"), "");
    ck_assert_int_eq(prefix_remove(&site, "etc/conda/deactivate.d/x", &err), 0);
    add(set, RECEIPT_PATH, "");
    for (size_t i = 0; i < RECEIPT_FOLDERS; i++)
        ck_assert_int_eq(names_add(folders, receipt_folders[i]), 0);
}

static struct stat look(const char *path)
{
    struct stat st;

    ck_assert_int_eq(fstatat(site.folder, path, &st, 0), 0);
    return st;
}

/* A folder that stays is not touched, so that no kill can leave it changed. */
START_TEST(hook_forget_leaves_what_stays)
{
    static const char *const stay[] = {"etc", "etc/conda/activate.d"};
    scope(hook_set_release) struct hook_set set = {0};
    scope(names_release) struct names folders = {0};

    set_to_forget(&set, &folders);
    struct stat before[] = {look(stay[0]), look(stay[1])};
    ck_assert_int_eq(hook_forget(&set, &site, NULL, &folders, &err), 0);
    ck_assert_int_eq(prefix_has_folder(&site, "etc/conda/deactivate.d", &err), 0);
    ck_assert_int_eq(prefix_has(&site, RECEIPT_PATH, &err), 0);
    for (size_t i = 0; i < 2; i++) {
        struct stat after = look(stay[i]);
        ck_assert_uint_eq(after.st_mode, before[i].st_mode);
        ck_assert_mem_eq(&after.st_ctim, &before[i].st_ctim, sizeof after.st_ctim);
    }
}
END_TEST

/* While the receipt is there, no folder is marked for its sake. */
START_TEST(hook_forget_fails_with_all_modes)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(names_release) struct names folders = {0};

    set_to_forget(&set, &folders);
    ck_assert_int_eq(prefix_remove(&site, "etc/conda/activate.d/x", &err), 0);
    ck_assert_int_eq(prefix_remove(&site, RECEIPT_PATH, &err), 0);
    ck_assert_int_eq(mkdirat(site.folder, RECEIPT_PATH, 0755), 0);
    ck_assert_int_eq(fchmodat(site.folder, "etc/conda/activate.d", 0775, 0), 0);
    ck_assert_int_eq(hook_forget(&set, &site, NULL, &folders, &err), -1);
    check_error(RECEIPT_PATH ": cannot remove: it is a folder; move it away\n");
    for (size_t i = 0; i < RECEIPT_FOLDERS; i++)
        ck_assert_uint_eq(look(receipt_folders[i]).st_mode & 07777,
                          strcmp(receipt_folders[i], "etc/conda/activate.d") == 0 ? 0775 : 0755);
}
END_TEST

START_TEST(hook_paths)
{
    for (size_t i = 0; i < shell_count; i++) {
        scope(free_text) char *path = hook_path("activate", &shells[i]);
        scope(free_text) char *wanted =
            format_text("etc/conda/activate.d/env_vars.%s", shells[i].extension);
        ck_assert_str_eq(path, wanted);
    }
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("site, receipt, history, hook");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, prefix_of_nothing);
    tcase_add_test(tests, prefix_writes_and_reads);
    LOOP(tests, prefix_is_blocked, blocked);
    tcase_add_test(tests, prefix_writes_through_no_link);
    LOOP(tests, prefix_has_modes, modes);
    tcase_add_test(tests, prefix_locks);
    tcase_add_test(tests, prefix_lock_changes_nothing);
    tcase_add_test(tests, prefix_keeps_and_puts_back);
    tcase_add_test(tests, prefix_sweeps);
    LOOP(tests, receipt_reads_back, sources);
    tcase_add_test(tests, receipt_of_nothing);
    LOOP(tests, receipt_is_strict, receipts);
    tcase_add_test(tests, receipt_names_no_more_than_the_limit);
    tcase_add_test(tests, receipt_knows_its_own);
    LOOP(tests, history_is_recalled, histories);
    tcase_add_test(tests, history_key_is_the_prefix_s);
    tcase_add_test(tests, history_fails_whole);
    LOOP(tests, hook_states, states);
    LOOP(tests, hook_claims, claims);
    tcase_add_test(tests, hook_keeps_under_a_free_name);
    tcase_add_test(tests, hook_writes_what_differs);
    tcase_add_loop_test(tests, hook_notices_a_change, 0, (int)(sizeof changes / sizeof *changes));
    tcase_add_test(tests, hook_write_undoes_folders);
    tcase_add_test(tests, hook_removes_its_own);
    tcase_add_test(tests, hook_forget_leaves_what_stays);
    tcase_add_test(tests, hook_forget_fails_with_all_modes);
    tcase_add_test(tests, hook_paths);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
