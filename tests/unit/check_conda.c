/*
 * The modules that know a prefix's files: prefix, lock, paths, receipt, earlier, hooks. What apply
 * and remove make of them, through the command line, is in check_cli_apply.c and
 * check_cli_owner.c.
 */
#include "support/one_prefix.h"

#include "base/digest.h"
#include "base/scope.h"
#include "base/self.h"
#include "conda/earlier.h"
#include "conda/hooks.h"
#include "conda/lock.h"
#include "conda/parts.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct prefix site;
static struct error err;

static void set_up(void)
{
    one_prefix_open();
    site = PREFIX_INIT;
    err = ERROR_INIT;
    ck_assert_int_eq(prefix_open(&site, prefix, &err), 0);
}

static void tear_down(void)
{
    prefix_close(&site);
    error_release(&err);
    one_prefix_close();
}

/* A text as a strbuf, until the next call. */
static const struct strbuf *bytes(const char *text, size_t length)
{
    static struct strbuf buf;

    strbuf_release(&buf);
    strbuf_add(&buf, text, length);
    return &buf;
}

static int write_text(const char *path, const char *text)
{
    return prefix_write(&site, path, bytes(text, strlen(text)), NULL, &err);
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

/* prefix */

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
    ck_assert_int_eq(prefix_write(&site, "a/b/c", bytes("x\0y", 3), NULL, &err), 0);
    ck_assert_int_eq(prefix_read(&site, "a/b/c", &text, &err), 1);
    ck_assert_uint_eq(text.length, 3);
    ck_assert_mem_eq(text.text, "x\0y", 3);
    ck_assert_int_eq(prefix_has(&site, "a/b/c", &err), 1);
    ck_assert_int_eq(prefix_has_folder(&site, "a/b", &err), 1);
    ck_assert_int_eq(prefix_has(&site, "a/x", &err), 0);
    ck_assert_int_eq(prefix_remove(&site, "a/b/c", &text, &err), 0);
    ck_assert_int_eq(prefix_remove(&site, "a/b/c", &text, &err), 0);
    ck_assert_int_eq(prefix_remove(&site, "no/folder", &text, &err), 0);
    ck_assert_int_eq(prefix_remove_folder(&site, "a", &err), 0);
    ck_assert_int_eq(prefix_has_folder(&site, "a", &err), 1);
    ck_assert_int_eq(prefix_remove_folder(&site, "a/b", &err), 0);
    ck_assert_int_eq(prefix_remove_folder(&site, "a", &err), 0);
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
    prefix_remove(&site, "out/file", bytes("kept", 4), &err);
    ck_assert(sandbox_has(&box, "outside/file"));
}
END_TEST

START_TEST(prefix_writes_through_no_link)
{
    sandbox_write(&box, "outside/file", "kept");
    ck_assert_int_eq(symlinkat("../../outside", site.folder, "etc"), 0);
    ck_assert_int_eq(write_text("etc/file", "x"), -1);
    ck_assert_int_eq(symlinkat("../../outside/file", site.folder, "link"), 0);
    ck_assert_int_eq(write_text("link", "x"), -1);
    scope(free_text) char *kept = sandbox_read(&box, "outside/file", NULL);
    ck_assert_str_eq(kept, "kept");
}
END_TEST

static const struct {
    mode_t prefix, file, folder;
} modes[] = {{0755, 0644, 0755}, {0775, 0664, 0775}, {0700, 0644, 0755}};

static mode_t mode_of(const struct prefix *opened, const char *path)
{
    struct stat st;

    ck_assert_int_eq(fstatat(opened->folder, path, &st, 0), 0);
    return st.st_mode & 07777;
}

START_TEST(prefix_has_modes)
{
    struct prefix other = PREFIX_INIT;

    ck_assert_int_eq(chmod(prefix, modes[_i].prefix), 0);
    umask(077);
    ck_assert_int_eq(prefix_open(&other, prefix, &err), 0);
    ck_assert_int_eq(prefix_write(&other, "new/file", bytes("", 0), NULL, &err), 0);
    umask(022);
    ck_assert_int_eq(mode_of(&other, "new/file"), modes[_i].file);
    ck_assert_int_eq(mode_of(&other, "new"), modes[_i].folder);
    prefix_close(&other);
}
END_TEST

/* What acl(5) calls the mask stands where a mode has the group's bits. Each ACL gives user 54321
   everything; its owning group, and whom a folder hands on to what is made in it, as told here. */
static const struct {
    unsigned group; /* the owning group's rights to the prefix */
    bool handed_on; /* new files get the ACL as well */
    mode_t file, folder;
} acls[] = {{5, false, 0644, 0755}, {7, false, 0664, 0775}, {5, true, 0664, 0775}};

static int set_acl(const char *name, unsigned group)
{
    enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, MASK = 0x10, OTHER_OBJ = 0x20, ALL = 7 };
    const struct {
        uint32_t version;
        struct {
            uint16_t tag, rights;
            uint32_t id;
        } entries[5];
    } acl = {htole32(2),
             {{htole16(USER_OBJ), htole16(ALL), UINT32_MAX},
              {htole16(USER), htole16(ALL), htole32(54321)},
              {htole16(GROUP_OBJ), htole16((uint16_t)group), UINT32_MAX},
              {htole16(MASK), htole16(ALL), UINT32_MAX},
              {htole16(OTHER_OBJ), htole16(5), UINT32_MAX}}};

    return setxattr(prefix, name, &acl, sizeof acl, 0);
}

START_TEST(prefix_has_an_acl)
{
    struct prefix other = PREFIX_INIT;
    struct stat st;

    if (set_acl("system.posix_acl_access", acls[_i].group) < 0) {
        test_skip(false, "ACLs: %s", strerror(errno));
        return;
    }
    if (acls[_i].handed_on)
        ck_assert_int_eq(set_acl("system.posix_acl_default", acls[_i].group), 0);
    ck_assert_int_eq(stat(prefix, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0775);
    ck_assert_int_eq(prefix_open(&other, prefix, &err), 0);
    ck_assert_int_eq(prefix_write(&other, "new/file", bytes("", 0), NULL, &err), 0);
    ck_assert_int_eq(mode_of(&other, "new/file"), acls[_i].file);
    ck_assert_int_eq(mode_of(&other, "new"), acls[_i].folder);
    prefix_close(&other);
}
END_TEST

/* What somebody put there, or changed, since it was looked at. */
START_TEST(prefix_replaces_only_what_it_was_told)
{
    scope(strbuf_release) struct strbuf old = STRBUF_INIT;

    sandbox_write(&box, inside("a/theirs"), "theirs");
    strbuf_adds(&old, "old");
    ck_assert_int_eq(write_text("a/theirs", "ours"), -1);
    check_error("a/theirs: somebody changed this file while conda-gpu ran, so it stays as it is; "
                "run conda-gpu again\n");
    ck_assert_int_eq(prefix_write(&site, "a/theirs", bytes("ours", 4), &old, &err), -1);
    ck_assert_int_eq(prefix_write(&site, "a/none", bytes("ours", 4), &old, &err), -1);
    ck_assert_int_eq(prefix_remove(&site, "a/theirs", &old, &err), -1);
    check_content("a/theirs", "theirs");
    ck_assert(!sandbox_has(&box, inside("a/none")));
    sandbox_write(&box, inside("a/theirs"), "old");
    ck_assert_int_eq(prefix_write(&site, "a/theirs", bytes("ours", 4), &old, &err), 0);
    check_content("a/theirs", "ours");
}
END_TEST

/* lock */

#define LOCK ".conda-gpu.lock"

START_TEST(lock_is_one_s)
{
    struct prefix other = PREFIX_INIT;
    struct lock lock = LOCK_INIT, other_lock = LOCK_INIT;
    scope(strbuf_release) struct strbuf holder = STRBUF_INIT;
    scope(free_text) char *process = format_text("process %d on ", getpid());

    ck_assert_int_eq(lock_take(&lock, &site, &err), LOCK_TAKEN);
    ck_assert_int_eq(prefix_open(&other, prefix, &err), 0);
    ck_assert_int_eq(lock_take(&other_lock, &other, &err), LOCK_BUSY);
    lock_holder(&other, &holder);
    ck_assert_int_eq(strncmp(strbuf_text(&holder), process, strlen(process)), 0);
    lock_release(&lock);
    ck_assert_int_eq(lock_take(&other_lock, &other, &err), LOCK_TAKEN);
    ck_assert_str_eq(error_text(&err), "");
    lock_release(&other_lock);
    ck_assert(!sandbox_has(&box, inside(LOCK)));
    prefix_close(&other);
}
END_TEST

/* Of those who may not write, nobody can hold it. */
START_TEST(lock_is_for_writers)
{
    struct lock lock = LOCK_INIT;

    ck_assert_int_eq(fchmod(site.folder, _i ? 02775 : 0755), 0);
    prefix_close(&site);
    ck_assert_int_eq(prefix_open(&site, prefix, &err), 0);
    ck_assert_int_eq(lock_take(&lock, &site, &err), LOCK_TAKEN);
    ck_assert_int_eq(mode_of(&site, LOCK), _i ? 0660 : 0600);
    lock_release(&lock);
}
END_TEST

/* What a killed run left is nobody's, if it ran here. */
START_TEST(lock_of_a_killed_run)
{
    struct lock lock = LOCK_INIT;
    const char *host = self_host();
    scope(free_text) char *text = format_text("process 1 on %s", host);

    sandbox_write(&box, inside(LOCK), text);
    sandbox_write(&box, inside(".conda-gpu-0.tmp"), "");
    ck_assert_int_eq(mkdirat(site.folder, ".conda-gpu-folder.tmp", 0700), 0);
    ck_assert_int_eq(lock_take(&lock, &site, &err), LOCK_TAKEN);
    lock_release(&lock);
    ck_assert(!sandbox_has(&box, inside(LOCK)));
    ck_assert(!sandbox_has(&box, inside(".conda-gpu-0.tmp")));
    ck_assert(!sandbox_has(&box, inside(".conda-gpu-folder.tmp")));
}
END_TEST

/* Whether those still run cannot be told. */
static const char *const elsewhere[] = {"process 1 on nowhere", "process 1 on ", "process 1", ""};

START_TEST(lock_of_another_machine)
{
    struct lock lock = LOCK_INIT;

    sandbox_write(&box, inside(LOCK), elsewhere[_i]);
    ck_assert_int_eq(lock_take(&lock, &site, &err), LOCK_BUSY);
    check_content(LOCK, elsewhere[_i]);
}
END_TEST

/* Who has removed the lock of one that only seemed dead, and has one now, keeps it. */
START_TEST(lock_of_somebody_else_by_now)
{
    struct lock lock = LOCK_INIT;

    ck_assert_int_eq(lock_take(&lock, &site, &err), LOCK_TAKEN);
    ck_assert_int_eq(unlinkat(site.folder, LOCK, 0), 0);
    sandbox_write(&box, inside(LOCK), elsewhere[0]);
    lock_release(&lock);
    check_content(LOCK, elsewhere[0]);
}
END_TEST

/* Of others' files none is opened for writing or locked. */
static const char *const no_locks[] = {"it is a symbolic link, and conda-gpu follows none here; "
                                       "replace it by a real file or folder\n",
                                       "it is a folder; move it away\n",
                                       "it is neither a file nor a folder; move it away\n"};

START_TEST(lock_is_a_file)
{
    struct lock lock = LOCK_INIT;
    scope(free_text) char *message =
        format_text(LOCK ": cannot lock the environment: %s", no_locks[_i]);

    sandbox_write(&box, "outside", "kept");
    ck_assert_int_eq(_i == 0   ? symlinkat("../../outside", site.folder, LOCK)
                     : _i == 1 ? mkdirat(site.folder, LOCK, 0755)
                               : mkfifoat(site.folder, LOCK, 0600),
                     0);
    ck_assert_int_eq(lock_take(&lock, &site, &err), -1);
    check_error(message);
    scope(free_text) char *kept = sandbox_read(&box, "outside", NULL);
    ck_assert_str_eq(kept, "kept");
}
END_TEST

START_TEST(prefix_keeps_and_puts_back)
{
    scope(strbuf_release) struct strbuf mine = STRBUF_INIT;

    strbuf_adds(&mine, "mine");
    sandbox_write(&box, inside("a/mine"), "mine");
    sandbox_write(&box, inside("a/taken"), "taken");
    ck_assert_int_eq(prefix_keep(&site, "a/mine", "a/taken", &err), -1);
    ck_assert_int_eq(prefix_keep(&site, "a/mine", "a/mine.orig", &err), 0);
    check_content("a/mine.orig", "mine");
    ck_assert_int_eq(prefix_write(&site, "a/mine", bytes("ours", 4), &mine, &err), 0);
    check_content("a/mine.orig", "mine");
    ck_assert_int_eq(prefix_put_back(&site, "a/mine.orig", "a/mine", false, &err), PREFIX_TAKEN);
    check_content("a/mine", "ours");
    ck_assert_int_eq(prefix_remove(&site, "a/mine", bytes("ours", 4), &err), 0);
    ck_assert_int_eq(prefix_put_back(&site, "a/mine.orig", "a/mine", false, &err), PREFIX_PUT_BACK);
    check_content("a/mine", "mine");
    ck_assert(!sandbox_has(&box, inside("a/mine.orig")));
    check_content("a/taken", "taken");
    ck_assert_int_eq(prefix_put_back(&site, "a/gone", "a/x", false, &err), PREFIX_NOT_KEPT);
    ck_assert_int_eq(mkdirat(site.folder, "a/folder", 0755), 0);
    ck_assert_int_eq(prefix_put_back(&site, "a/folder", "a/x", false, &err), PREFIX_NOT_KEPT);
    ck_assert_int_eq(prefix_put_back(&site, "a/folder", "a/x", true, &err), PREFIX_NOT_KEPT);
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
static char hook_sh[] = "etc/conda/activate.d/env_vars.sh", version[] = "1.2", machine[] = "dgx-01";
static char hook_orig[] = "etc/conda/activate.d/env_vars.sh.orig", one_three[] = "1,3";
static char odd_value[] = "a: b\n'\"~\t\x01 ", colon[] = ":";
static char *managed[] = {name_a, name_visible};
static char *made_folders[] = {etc_conda};
static struct planned_device devices[] = {
    {.number = 1,
     .device = {.name = "A \"100\": \u00e9", .memory = 85899345920},
     .uuid = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
     .address = "0000:0f:00.0",
     .compute = 80},
    {.number = PLAN_NO_NUMBER,
     .uuid = "MIG-8932f937-d72c-4106-c12f-20bd9faed9f7",
     .address = "0000:0f:00.0"}};
static struct var variables[] = {
    {.name = name_visible, .kind = VAR_SET, .value = one_three},
    {.name = name_a, .kind = VAR_APPEND, .value = odd_value, .separator = colon}};
static struct receipt_kept kept[] = {{hook_sh, hook_orig}};

static struct receipt full_receipt(char *source)
{
    static char alice[] = "alice", others[] = "c[!a-b]*";
    static char *users[] = {alice, others};
    static struct plan plan = {.in_job = IN_JOB_OVERRIDE,
                               .if_set = IF_SET_KEEP,
                               .unconfirmed = true,
                               .gpus = PLAN_GPUS_CHOSEN,
                               .devices = {devices, 2, 0},
                               .variables = {variables, 2, 0}};
    static struct share rules[] = {{12, {users, 2, 0}, 0}, {0, {NULL, 0, 0}, 0}};
    static struct receipt_host host;

    receipt_read_device(&devices[0]);
    receipt_read_device(&devices[1]);
    host = (struct receipt_host){.host = machine,
                                 .version = version,
                                 .source = source,
                                 .by_host = true,
                                 .plans = {&plan, 1, 0},
                                 .rules = {rules, 2, 0}};
    return (struct receipt){.format = 1,
                            .state = "0123abcd",
                            .managed = {managed, 2, 0},
                            .kept = {kept, 1, 0},
                            .folders = {made_folders, 1, 0},
                            .hosts = {&host, 1, 0}};
}

static struct receipt *parse(const char *text, size_t length)
{
    return receipt_parse(text, length, "R", &err);
}

/* Any text, as a path may hold it. */
static const char *const sources[] = {"/a/environment.yml", "/a b/it's", "/new\nline", "/: # - {x",
                                      "/caf\xc3\xa9",       "/\x01\x1b", "~",          "",
                                      "/trailing \n",       "null"};

START_TEST(receipt_reads_back)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(free_text) char *source = strdup(sources[_i]);
    struct receipt receipt = full_receipt(source);

    ck_assert_msg(receipt_print(&text, &receipt, &err) == 0, "%s", error_text(&err));
    ck_assert(receipt_is_ours(strbuf_text(&text), text.length));
    scope(receipt_free) struct receipt *again = parse(strbuf_text(&text), text.length);
    ck_assert_msg(again != NULL, "%s", error_text(&err));
    const struct receipt_host *host = again->hosts.items;
    ck_assert_str_eq(again->state, "0123abcd");
    ck_assert_uint_eq(again->managed.count, 2);
    ck_assert_str_eq(again->managed.items[1], "CUDA_VISIBLE_DEVICES");
    ck_assert_str_eq(again->kept.items[0].now, kept[0].now);
    ck_assert_str_eq(again->folders.items[0], "etc/conda");
    ck_assert_uint_eq(again->hosts.count, 1);
    ck_assert_str_eq(host->host, "dgx-01");
    ck_assert_str_eq(host->version, "1.2");
    ck_assert_str_eq(host->source, sources[_i]);
    ck_assert(host->by_host && part_is_same(host, receipt.hosts.items));
    ck_assert_int_eq(host->plans.items[0].devices.items[1].number, PLAN_NO_NUMBER);
    ck_assert_str_eq(host->plans.items[0].variables.items[1].value, odd_value);
    ck_assert_uint_eq(host->rules.count, 2);
    ck_assert_uint_eq(host->rules.items[0].line, 12);
    ck_assert_uint_eq(host->rules.items[0].users.count, 2);
    ck_assert_str_eq(host->rules.items[0].users.items[1], "c[!a-b]*");
}
END_TEST

/* Whoever wrote it: devices beside `all`, where nothing says how many there are. */
START_TEST(receipt_with_devices_of_all)
{
    static struct plan listed = {.gpus = PLAN_GPUS_ALL, .devices = {devices, 2, 0}};
    static struct plan plain = {.gpus = PLAN_GPUS_ALL};
    const struct receipt_host one = {.plans = {&listed, 1, 0}}, other = {.plans = {&plain, 1, 0}};

    ck_assert(!part_is_same(&one, &other));
    ck_assert(!part_is_same(&other, &one));
}
END_TEST

START_TEST(receipt_of_nothing)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    const struct receipt receipt = {.format = 1, .state = "0123abcd"};

    ck_assert_msg(receipt_print(&text, &receipt, &err) == 0, "%s", error_text(&err));
    scope(receipt_free) struct receipt *again = parse(strbuf_text(&text), text.length);
    ck_assert_ptr_nonnull(again);
    ck_assert_uint_eq(
        again->managed.count + again->kept.count + again->folders.count + again->hosts.count, 0);
}
END_TEST

#define BEGIN "format: 1\nstate: 0123abcd\n"
#define HOST                                                                                       \
    BEGIN "hosts:\n- {host: a, version: 1, source: /x, by_host: false, rules: [{line: 0, plan: "   \
          "0}], plans: [{in_job: keep, if_set: keep, unconfirmed: false, "
#define RULES(rules)                                                                               \
    BEGIN "hosts:\n- {host: a, version: 1, source: /x, by_host: false, plans: [{in_job: keep, "    \
          "if_set: keep, unconfirmed: false}], rules: [" rules "]}\n"
#define KEPT(path, now) BEGIN "kept: [{path: etc/conda/" path ", now: etc/conda/" now "}]\n"
#define SH              "activate.d/env_vars.sh"

static const struct {
    const char *text;
    bool good;
} receipts[] = {
    {BEGIN, true},
    {"# comment\n" BEGIN, true},
    {BEGIN "managed: []\nkept: []\nfolders: []\nhosts: []\n", true},
    {BEGIN "more: 1\nmuch_more: {a: [b, {c: d}]}\n", true},
    {HOST "more: [1]}]}\n", true},
    {BEGIN "kept: [{path: etc/conda/" SH ", now: etc/conda/" SH ".orig, more: 1}]\n", true},
    {"", false},
    {"# Receipt of conda-gpu\n", false},
    {"---\n", false},
    {"[]\n", false},
    {"text\n", false},
    {"\xff\n", false},
    {"format: 1\n", false},
    {"state: 0123abcd\n", false},
    {"format: 0\nstate: 0123abcd\n", false},
    {"format: -1\nstate: 0123abcd\n", false},
    {"format: 1\nstate: 0123ABCD\n", false},
    {"format: 1\nstate: 0123abc\n", false},
    {"format: 1\nstate: 0123abcd0\n", false},
    {"format: 1\nstate: ''\n", false},
    {"format: 1\nstate: $(id)abc\n", false},
    {BEGIN "managed: ['A;id']\n", false},
    {BEGIN "managed: ['']\n", false},
    {BEGIN "managed: [PATH]\n", false},
    {BEGIN "managed: [A, CUDA_VISIBLE_DEVICES]\n", true},
    {BEGIN "folders: [bin]\n", false},
    {BEGIN "folders: [../x]\n", false},
    {BEGIN "folders: [etc]\n", true},
    {KEPT(SH, SH ".orig"), true},
    {KEPT(SH, SH ".orig.17"), true},
    {KEPT(SH, "activate.d/env_vars-adopted.sh"), true},
    {KEPT("conda-gpu.yml", "conda-gpu.yml.orig"), true},
    {KEPT(SH, SH), false},
    {KEPT(SH, SH ".orig.0"), false},
    {KEPT(SH, SH ".orig."), false},
    {KEPT(SH, SH ".orig.1x"), false},
    {KEPT(SH, SH ".orig.1/x"), false},
    {KEPT(SH, SH ".original"), false},
    {KEPT(SH, "activate.d/other.sh"), false},
    {KEPT(SH, "activate.d/env_vars-adopted.fish"), false},
    {KEPT(SH, "activate.d/env_vars-adopted.sh.orig"), false},
    {KEPT(SH, "deactivate.d/env_vars.sh.orig"), false},
    {KEPT("activate.d/other.sh", "activate.d/other.sh.orig"), false},
    {KEPT("conda-gpu.yml", "conda-gpu-adopted.yml"), false},
    {KEPT("../../bin/x", "../../bin/x.orig"), false},
    {HOST "variables: [{name: A, kind: set, value: x}]}]}\n", true},
    {HOST "variables: [{name: A, kind: unset}]}]}\n", true},
    {HOST "variables: [{name: A, kind: append, value: x, separator: ''}]}]}\n", true},
    {HOST "variables: [{name: A, kind: append, value: x}]}]}\n", false},
    {HOST "variables: [{name: A, kind: set}]}]}\n", false},
    {HOST "variables: [{name: A, kind: 7, value: x}]}]}\n", false},
    {HOST "variables: [{name: PATH, kind: unset}]}]}\n", false},
    {HOST
     "devices: [{number: 1, uuid: "
     "0123456789012345678901234567890123456789012345678901234567890123456789, address: x}]}]}\n",
     false},
    {RULES("{line: 3, users: [alice, 'b[!c-d]?.*'], plan: 0}, {line: 0, plan: 0}"), true},
    {RULES("{line: 3, plan: 0}"), true},
    {RULES(""), false},
    {RULES("{line: 3, users: [alice], plan: 0}"), false},
    {RULES("{line: 3, plan: 0}, {line: 0, plan: 0}"), false},
    {RULES("{line: 3, plan: 1}"), false},
    {RULES("{line: 3, users: ['a) id;'], plan: 0}, {line: 0, plan: 0}"), false},
    {RULES("{line: 3, users: ['[a'], plan: 0}, {line: 0, plan: 0}"), false},
    {RULES("{line: 3, users: [''], plan: 0}, {line: 0, plan: 0}"), false},
    {"format: &a [*a]\n", false},
    {"%TAG !a! b\n---\n" BEGIN, false},
    {"# comment\n%YAML 1.1\n---\n" BEGIN, false},
};

START_TEST(receipt_is_strict)
{
    scope(receipt_free) struct receipt *receipt =
        parse(receipts[_i].text, strlen(receipts[_i].text));

    ck_assert_msg((receipt != NULL) == receipts[_i].good, "%s", receipts[_i].text);
    ck_assert_int_eq(err.status, receipts[_i].good ? STATUS_DONE : STATUS_PREFIX);
}
END_TEST

/* One of a later format is told from one that is damaged, whatever else is in it. */
START_TEST(receipt_of_a_newer_format)
{
    static const char text[] = "format: 2\nstate: {a: b}\n";

    ck_assert_ptr_null(parse(text, strlen(text)));
    ck_assert_str_eq(error_text(&err),
                     "R: a newer conda-gpu wrote this receipt (its format is 2, and this conda-gpu "
                     "knows formats up to 1), so nothing was changed; use that newer conda-gpu "
                     "here\n");
    ck_assert_int_eq(err.status, STATUS_PREFIX);
}
END_TEST

/* As deep as a file can be: it would take libyaml hours. */
START_TEST(receipt_is_no_bomb)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    strbuf_adds(&text, BEGIN "more: ");
    for (size_t i = 0; i < PREFIX_FILE_LIMIT - 100; i++)
        strbuf_addc(&text, _i ? '[' : '{');
    ck_assert_ptr_null(parse(text.text, text.length));
}
END_TEST

START_TEST(receipt_names_no_more_than_the_limit)
{
    for (int more = 0; more < 2; more++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        strbuf_adds(&text, BEGIN "managed:\n");
        for (int i = 0; i < MANAGED_LIMIT + more; i++)
            strbuf_addf(&text, "- A%d\n", i);
        scope(receipt_free) struct receipt *receipt = parse(text.text, text.length);
        ck_assert_int_eq(receipt != NULL, !more);
    }
}
END_TEST

START_TEST(receipt_knows_its_own)
{
    ck_assert(!receipt_is_ours("", 0));
    ck_assert(!receipt_is_ours("# Receipt of conda-gpu", 10));
    ck_assert(receipt_is_ours("# Receipt of conda-gpu", 22));
    ck_assert(!receipt_is_ours("format: 1\n# Receipt of conda-gpu", 33));
}
END_TEST

/* earlier */

#define HOOK                                                                                       \
    "# Written by conda-gpu 1\n# conda-gpu digest 0123456789abcdef\n"                              \
    "__CONDA_GPU_89abcdef_LEVEL\n__gpu_undo B\n__gpu_undo A\n"

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
} histories[] = {
    {NULL, NULL, NULL, ""},           {"", NULL, "0123abcd", "A CUDA_VISIBLE_DEVICES "},
    {NULL, HOOK, "89abcdef", "B A "}, {"", HOOK, "0123abcd", "A CUDA_VISIBLE_DEVICES B "},
    {"other: 1\n", NULL, NULL, ""},   {NULL, "export __CONDA_GPU_89abcdef_OLD_B=1\n", NULL, ""},
};

START_TEST(history_is_recalled)
{
    struct earlier history = {0};
    scope(strbuf_release) struct strbuf names = STRBUF_INIT;

    if (histories[_i].receipt && !*histories[_i].receipt)
        write_receipt();
    else if (histories[_i].receipt)
        sandbox_write(&box, inside(RECEIPT_PATH), histories[_i].receipt);
    if (histories[_i].hook)
        sandbox_write(&box, inside("etc/conda/deactivate.d/env_vars.sh"), histories[_i].hook);
    ck_assert_int_eq(earlier_read(&history, &site, &err), 0);
    for (size_t i = 0; i < history.managed.count; i++)
        strbuf_addf(&names, "%s ", history.managed.items[i]);
    ck_assert_str_eq(strbuf_text(&names), histories[_i].managed);
    ck_assert_uint_eq(strlen(history.key), 8);
    if (histories[_i].key)
        ck_assert_str_eq(history.key, histories[_i].key);
    earlier_release(&history);
    earlier_release(&history);
}
END_TEST

/* A receipt of ours that cannot be read is an error, whatever the hooks tell. */
START_TEST(history_is_damaged)
{
    struct earlier history = {0};

    sandbox_write(&box, inside(RECEIPT_PATH), "# Receipt of conda-gpu\n");
    sandbox_write(&box, inside("etc/conda/deactivate.d/env_vars.sh"), HOOK);
    ck_assert_int_eq(earlier_read(&history, &site, &err), -1);
    ck_assert_int_eq(err.status, STATUS_PREFIX);
    ck_assert_str_eq(history.key, "");
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

/* A text that is ours and unchanged, with the digest that it has. */
static char *signed_text(const char *rest)
{
    char digest[DIGEST_TEXT_SIZE];
    char *text = format_text("# Written by conda-gpu 1\n# conda-gpu digest %016d\n%s", 0, rest);

    digest_text(digest_add(DIGEST_OF_NOTHING, text, strlen(text)), digest);
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
    ck_assert_int_eq(hook_differs(&set), states[_i].state != HOOK_SAME);
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
    ck_assert_int_eq(hook_write(&set, &site, &err), 0);
    check_content(PATH, "new\n");
    check_content(claims[_i].kept, there);
}
END_TEST

START_TEST(hook_keeps_under_a_free_name)
{
    scope(hook_set_release) struct hook_set set = {0};
    const struct hook_policy policy = {.replace = true};

    sandbox_write(&box, inside(PATH), OTHER);
    sandbox_write(&box, inside(PATH ".orig"), "older");
    sandbox_write(&box, inside(PATH ".orig.1"), "old");
    add(&set, PATH, "new\n");
    ck_assert_int_eq(hook_claim(&set, &site, &policy, &err), 0);
    ck_assert_int_eq(hook_write(&set, &site, &err), 0);
    check_content(PATH ".orig", "older");
    check_content(PATH ".orig.1", "old");
    check_content(PATH ".orig.2", OTHER);
}
END_TEST

START_TEST(hook_writes_what_differs)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(free_text) char *same = sandbox_path(&box, inside("etc/conda/same"));
    struct stat before, after;

    sandbox_write(&box, inside("etc/conda/same"), "same");
    ck_assert_int_eq(stat(same, &before), 0);
    add(&set, "etc/conda/same", "same");
    add(&set, "etc/conda/deactivate.d/new", "new");
    ck_assert_int_eq(hook_write(&set, &site, &err), 0);
    check_content("etc/conda/deactivate.d/new", "new");
    ck_assert_int_eq(stat(same, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

/* What comes, goes or changes after it was read is somebody else's, and stays. */
static const struct {
    const char *first, *then; /* NULL: nothing is there */
} changes[] = {{OTHER, OTHER "#\n"}, {NULL, OTHER}, {OTHER, NULL}, {OTHER, ""}, {NULL, ""}};

START_TEST(hook_notices_a_change)
{
    scope(hook_set_release) struct hook_set set = {0};

    if (changes[_i].first)
        sandbox_write(&box, inside(PATH), changes[_i].first);
    add(&set, PATH, "new\n");
    sandbox_remove(&box, inside(PATH));
    if (changes[_i].then)
        sandbox_write(&box, inside(PATH), changes[_i].then);
    ck_assert_int_eq(hook_write(&set, &site, &err), -1);
    check_error(PATH ": somebody changed this file while conda-gpu ran, so it stays as it is; run "
                     "conda-gpu again\n");
    if (changes[_i].then)
        check_content(PATH, changes[_i].then);
    else
        ck_assert(!sandbox_has(&box, inside(PATH)));
}
END_TEST

/* What the next run could not read is not written. */
START_TEST(hook_is_too_large)
{
    scope(hook_set_release) struct hook_set set = {0};
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    ck_assert_ptr_nonnull(strbuf_reserve(&text, PREFIX_FILE_LIMIT + 1));
    memset(text.text, '#', PREFIX_FILE_LIMIT + 1);
    strbuf_grew(&text, PREFIX_FILE_LIMIT + 1);
    ck_assert_int_eq(hook_set_add(&set, &site, PATH, &text, &err), -1);
    ck_assert_int_eq(err.status, STATUS_INPUT);
}
END_TEST

/* Each shell has both, those of deactivate.d first. */
START_TEST(hook_paths)
{
    ck_assert_uint_eq(shell_count, OUR_DEACTIVATIONS);
    for (size_t i = 0; i < OUR_HOOKS; i++) {
        const char *direction = i < shell_count ? "deactivate" : "activate";
        const char *extension = shells[i % shell_count].extension;
        scope(free_text) char *path =
            format_text("etc/conda/%s.d/env_vars.%s", direction, extension);
        scope(free_text) char *template = format_text("%s.%s", direction, extension);
        ck_assert_str_eq(hook_places[i].path, path);
        ck_assert_str_eq(hook_places[i].template, template);
        ck_assert_ptr_eq(hook_places[i].shell, &shells[i % shell_count]);
    }
}
END_TEST

#define LOOP(tests, test, table) tcase_add_loop_test(tests, test, 0, sizeof table / sizeof *table)

static Suite *suite(void)
{
    Suite *suite = suite_create("prefix, lock, receipt, earlier, hooks");
    TCase *tests = tcase_create("");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, prefix_of_nothing);
    tcase_add_test(tests, prefix_writes_and_reads);
    LOOP(tests, prefix_is_blocked, blocked);
    tcase_add_test(tests, prefix_writes_through_no_link);
    LOOP(tests, prefix_has_modes, modes);
    LOOP(tests, prefix_has_an_acl, acls);
    tcase_add_test(tests, prefix_replaces_only_what_it_was_told);
    tcase_add_test(tests, lock_is_one_s);
    tcase_add_loop_test(tests, lock_is_for_writers, 0, 2);
    tcase_add_test(tests, lock_of_a_killed_run);
    LOOP(tests, lock_of_another_machine, elsewhere);
    tcase_add_test(tests, lock_of_somebody_else_by_now);
    LOOP(tests, lock_is_a_file, no_locks);
    tcase_add_test(tests, prefix_keeps_and_puts_back);
    tcase_add_test(tests, prefix_sweeps);
    LOOP(tests, receipt_reads_back, sources);
    tcase_add_test(tests, receipt_with_devices_of_all);
    tcase_add_test(tests, receipt_of_nothing);
    LOOP(tests, receipt_is_strict, receipts);
    tcase_add_test(tests, receipt_of_a_newer_format);
    tcase_add_loop_test(tests, receipt_is_no_bomb, 0, 2);
    tcase_add_test(tests, receipt_names_no_more_than_the_limit);
    tcase_add_test(tests, receipt_knows_its_own);
    LOOP(tests, history_is_recalled, histories);
    tcase_add_test(tests, history_is_damaged);
    tcase_add_test(tests, history_key_is_the_prefix_s);
    tcase_add_test(tests, history_fails_whole);
    LOOP(tests, hook_states, states);
    LOOP(tests, hook_claims, claims);
    tcase_add_test(tests, hook_keeps_under_a_free_name);
    tcase_add_test(tests, hook_writes_what_differs);
    tcase_add_loop_test(tests, hook_notices_a_change, 0, (int)(sizeof changes / sizeof *changes));
    tcase_add_test(tests, hook_is_too_large);
    tcase_add_test(tests, hook_paths);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
